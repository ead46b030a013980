//go:build touchmark_shared

package touchmark

// #cgo pkg-config: touchmark
import "C"
