// Command ocf-floatip is the resource agent ocf:hawser:floatip, and the process that watches an
// address on a LAN between its monitors.
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
	if floatip.IsWatcher(os.Args) {
		os.Exit(floatip.Watch(context.Background(), version))
	}
	program, err := os.Executable()
	if err != nil {
		program = "" // a monitor notices what nobody watches
	}
	os.Exit(floatip.NewWatching(version, program).Main(context.Background(), ocf.OSEnv()))
}
