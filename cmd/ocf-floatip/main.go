// Command ocf-floatip is the resource agent ocf:hawser:floatip.
package main

import (
	"context"
	"os"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/ocf"
)

var version = "dev" // set by the linker

func main() {
	ocf.DieBySignal()
	os.Exit(floatip.New(version).Main(context.Background(), ocf.OSEnv()))
}
