// CGO_CFLAGS=-I$PWD/package CGO_LDFLAGS="$PWD/package/lib.so -Wl,-rpath,$PWD/package" go run call.go package/weights.safetensors
package main

// #include <stdlib.h>
// #include "network.h"
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

func main() {
	weights := C.CString(os.Args[1])
	net := C.network_open(weights, 0)
	if net == nil {
		panic(C.GoString(C.network_error()))
	}
	// One input and one output, of float32, in memory of C.
	arrays := unsafe.Slice(net.arrays, 2)
	room := (*[2]unsafe.Pointer)(C.calloc(2, C.size_t(unsafe.Sizeof(uintptr(0)))))
	room[0], room[1] = C.calloc(1, arrays[0].bytes), C.calloc(1, arrays[1].bytes)
	for i := range unsafe.Slice((*float32)(room[0]), arrays[0].bytes/4) {
		unsafe.Slice((*float32)(room[0]), arrays[0].bytes/4)[i] = 1
	}
	if C.network_run(net, &room[0], &room[1]) != 0 {
		panic(C.GoString(C.network_error()))
	}
	for _, number := range unsafe.Slice((*float32)(room[1]), arrays[1].bytes/4) {
		fmt.Println(number)
	}
	C.network_close(net)
}
