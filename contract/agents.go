package contract

// Provider is hawser's name among the providers of resource agents.
const Provider = "hawser"

// Types of the agents.
const (
	HAProxyType      = "haproxy"
	FloatIPType      = "floatip"
	FenceDropletType = "fence_droplet"
)

// The agents as Pacemaker names them, class:provider:type.
const (
	HAProxyAgent      = "ocf:" + Provider + ":" + HAProxyType
	FloatIPAgent      = "ocf:" + Provider + ":" + FloatIPType
	FenceDropletAgent = "stonith:" + FenceDropletType
)

// Providers under whose names the agents are installed as well: those of the shell agents that they
// replace.
const (
	OldHAProxyProvider = "heartbeat"
	OldFloatIPProvider = "digitalocean"
)

// The programs of hawser's processes, as ps and killall see them.
const (
	// KeeperProcess watches HAProxy, StandbyProcess takes its place when it dies.
	KeeperProcess  = "hawser-keeper"
	StandbyProcess = "hawser-standby"
	// WatcherProcess watches an address on a LAN.
	WatcherProcess = "hawser-watch"
	// LauncherProcess is about to become HAProxy.
	LauncherProcess = "hawser-launch"
)
