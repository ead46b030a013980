module github.com/touchmark/touchmark/bindings/go

go 1.21
