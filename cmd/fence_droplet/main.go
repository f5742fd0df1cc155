// Command fence_droplet is the fence agent stonith:fence_droplet.
package main

import (
	"context"
	"os"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/fence"
)

var version = "dev" // set by the linker

func main() {
	fence.DieBySignal()
	os.Exit(fencedroplet.New(version).Main(context.Background(), fence.OSEnv("fence_droplet")))
}
