package contract

import "time"

// Parameters of the agent of HAProxy.
const (
	ParamBinpath      = "binpath"
	ParamConffile     = "conffile"
	ParamExtraconf    = "extraconf"
	ParamCheckURL     = "check_url"
	ParamCheckTimeout = "check_timeout"
	ParamMinServers   = "min_servers"
	ParamChecks       = "checks"
	ParamStopGrace    = "stop_grace"
	ParamAnchorIP     = "anchor_ip"
	ParamPrivateIP    = "private_ip"
	ParamUnit         = "unit"
	ParamKeeper       = "keeper"
	ParamMaxCrashes   = "max_crashes"
	ParamCrashWindow  = "crash_window"
	ParamHangTime     = "hang_time"
	ParamGeneration   = "generation"
	ParamPush         = "push"
	// ParamSites has the nodes of each site, in the form that param.ParseSites reads.
	ParamSites = "sites"
	// ParamWellAfter lists the times for each of which there is a WellAttribute.
	ParamWellAfter = "well_after"
)

// Parameters of the agent of a floating IP. The older names are those of the shell agent.
const (
	ParamIP           = "ip"
	ParamOldIP        = "floating_ip"
	ParamProvider     = "provider"
	ParamToken        = "token"
	ParamOldToken     = "do_token"
	ParamNIC          = "nic"
	ParamNetmask      = "cidr_netmask"
	ParamConflictWait = "conflict_wait"
	ParamAnnounceFor  = "announce_for"
)

// Parameters shared by several agents.
const (
	ParamTokenFile   = "token_file"
	ParamAPIURL      = "api_url"
	ParamMetadataURL = "metadata_url"
)

// ParamTag is a parameter of the fence agent.
const ParamTag = "tag"

// What the agents use where a parameter is not set.
const (
	DefaultBinpath      = "/usr/sbin/haproxy"
	DefaultConffile     = "/etc/haproxy/haproxy.cfg"
	DefaultCheckTimeout = 5 * time.Second
	DefaultMinServers   = 0
	DefaultStopGrace    = 5 * time.Second
	// DefaultUnit is the service of the distributions' packages.
	DefaultUnit        = "haproxy.service"
	DefaultKeeper      = true
	DefaultMaxCrashes  = 3
	DefaultCrashWindow = time.Minute
	// DefaultHangTime is more than what a stalled disk or a busy machine takes from time to time, and
	// than HAProxy's own watchdog takes for a thread in an endless loop.
	DefaultHangTime = 10 * time.Second

	DefaultProvider    = DigitalOcean
	DefaultAnnounceFor = 2 * time.Minute

	DefaultAPIURL      = "https://api.digitalocean.com"
	DefaultMetadataURL = "http://169.254.169.254"
)

// Keys of hawser.yaml that the agent of HAProxy names where a timeout is too short.
const (
	StartTimeoutKey  = "haproxy.start_timeout"
	ReloadTimeoutKey = "haproxy.reload_timeout"
)

// Limits of parameters.
const (
	// CrashesKept is how many crashes the agent remembers, and so the most that max_crashes can
	// count.
	CrashesKept = 20
)

// Providers of floating IPs, values of ParamProvider.
const (
	DigitalOcean = "digitalocean"
	LAN          = "lan"
)

// LevelDeep is the OCF_CHECK_LEVEL of a deeper monitor: HAProxy's requests check_url, an address's
// asks the provider who holds it.
const LevelDeep = 10

// Timeouts of the operations, which the agents advertise and hawser writes: Pacemaker's own default
// is 20 s for each.
const (
	// HAProxyStartTimeout is what systemd gives a service by default: HAProxy loads some 10,000
	// certificates, large caches, or the addresses of many names, in a start.
	HAProxyStartTimeout   = 90 * time.Second
	HAProxyStopTimeout    = 30 * time.Second
	HAProxyMonitorTimeout = 20 * time.Second
	// HAProxyReloadTimeout has to be written too: with a large configuration the check and the
	// reload read each file, and Pacemaker's default would end them after 20 s, whatever the agent
	// advertises.
	HAProxyReloadTimeout = 60 * time.Second

	FloatIPStartTimeout   = 90 * time.Second
	FloatIPStopTimeout    = 60 * time.Second
	FloatIPMonitorTimeout = 20 * time.Second
	// FloatIPHolderTimeout is the timeout of the monitor that asks the provider.
	FloatIPHolderTimeout = 30 * time.Second
)
