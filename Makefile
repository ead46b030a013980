# The C library, for those who build and install with make. Everything else is cargo's (CONTRIBUTING.md).
.POSIX:
.SUFFIXES:

PREFIX = /usr/local
DESTDIR =
# Below PREFIX, or absolute.
LIBDIR = lib
INCLUDEDIR = include
# yes: the library that only verifies and does no I/O.
VERIFIER_ONLY = no
# no: installs what was built before, as for `sudo make install` where root has no cargo.
BUILD = yes

all: library

help:
	@echo 'make                          builds libtouchmark, shared and static, into target/libtouchmark/full'
	@echo 'make verifier                 the one that only verifies and does no I/O, into target/libtouchmark/verifier'
	@echo 'make install PREFIX=/usr      installs it with its header, pkg-config and CMake files (/usr/local)'
	@echo '  DESTDIR=FOLDER                below FOLDER, as a package is made'
	@echo '  LIBDIR=lib64 INCLUDEDIR=...   below PREFIX, or absolute'
	@echo '  VERIFIER_ONLY=yes             installs the one that only verifies'
	@echo '  BUILD=no                      installs what was built before'
	@echo 'make uninstall                removes it, with the same variables'
	@echo 'make bindings                 builds all bindings and runs their tests and examples'
	@echo 'make dist                     makes a release in target/dist: tarball, Debian package, image, SBOM, provenance, signatures (docs/release.md)'
	@echo 'make help                     says this'

library:
	scripts/capi.sh --build

verifier:
	scripts/capi.sh --build --verifier

install:
	@case '$(VERIFIER_ONLY)' in \
	yes) flavour=verifier option=--verifier ;; \
	*) flavour=full option= ;; \
	esac; \
	if [ '$(BUILD)' != no ]; then scripts/capi.sh --build $$option || exit 1; fi; \
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' packaging/install.sh install "target/libtouchmark/$$flavour"

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' packaging/install.sh uninstall

bindings:
	bindings/run

dist:
	scripts/dist.sh

.PHONY: all help library verifier install uninstall bindings dist
