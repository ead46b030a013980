# Shell functions that build and run the programs of this folder; for run.sh and sanitizers.sh, which set `here` and `work`.

strict=(-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -O1 -g -fno-omit-frame-pointer)
programs=(conformance sweep orders random threads)
parts=(engine arguments fixtures handles strange)

say() { printf '\n# %s\n' "$*"; }

# build NAME HEADERS LIBRARY OPTION...: the programs, in $work/NAME, by the header in the folder HEADERS. LIBRARY is a file, shared or static.
build() {
    local name=$1 headers=$2 library=$3 each
    shift 3
    local folder=$work/$name defines=() objects=()
    for each in "$@"; do
        case $each in -D*) defines+=(--define "${each#-D}") ;; esac
    done
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 "$here/functions.py" "$headers/touchmark.h" "${defines[@]}" --table "$folder/functions.c"
    for each in "${parts[@]}" "${programs[@]}" conformance_steps; do printf '%s\0' "$here/$each.c"; done |
        xargs -0 -P "$(nproc)" -I{} sh -c 'source=$1; shift; exec cc "$@" -c "$source" -o "$0/$(basename "$source" .c).o"' "$folder" {} \
            "${strict[@]}" "$@" "-I$here" "-I$headers"
    cc "${strict[@]}" "$@" "-I$here" "-I$headers" -c "$folder/functions.c" -o "$folder/functions.o"
    for each in "${parts[@]}"; do objects+=("$folder/$each.o"); done
    for each in "${programs[@]}"; do
        # With the other files of the program, if it has some.
        cc "${strict[@]}" "$@" $(compgen -G "$folder/$each*.o") "${objects[@]}" "$folder/functions.o" -o "$folder/$each" "$library" "-Wl,-rpath,$(dirname "$library")" -lpthread -ldl -lm
    done
}

# in_place NAME PROGRAM ARGUMENT...: runs a program of build NAME in a folder of its own, which has the data. What stands in `under` is put in front.
in_place() {
    local name=$1 program=$2 status=0 place
    shift 2
    place=$(mktemp -d "$work/place.XXXXXX")
    cp -r "$here/data" "$place/data"
    tar -cf "$place/image.tar" -C "$here/data/image" .
    (cd "$place" && ${under-} "$work/$name/$program" data "$@") || status=$?
    chmod -R u+rwX "$place" && rm -rf "$place"
    if [ "$status" -ne 0 ]; then
        echo "error: $name/$program $* ended with $status" >&2
        return 1
    fi
}
