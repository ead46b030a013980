module github.com/touchmark/touchmark/examples/go

go 1.21

require github.com/touchmark/touchmark/bindings/go v0.0.0

replace github.com/touchmark/touchmark/bindings/go => ../../bindings/go
