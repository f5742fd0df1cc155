package config

import (
	"strconv"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// HAProxy is the section haproxy. Values that the file does not give are "" or 0: the agent has its
// own defaults.
type HAProxy struct {
	At                  Position
	Config              string // absolute path of a file or a directory
	ConfigAt            Position
	Binary              string // absolute path
	Extra               string // further arguments, quoted as for a shell
	Monitor             string // as Pacemaker reads a length of time
	Checks              []Check
	Check               ShortCheck
	CheckAt             Position
	MinServers          int
	MinServersAt        Position
	StopGrace           string
	StartTimeout        string
	ReloadTimeout       string
	Keeper              string // "true" or "false"
	MaxCrashes          int
	CrashWindow         string
	HangTime            string
	Unit                string // a service, or "none"
	AnchorIP, PrivateIP string
	MetadataURL         string

	// Sites and WellAfter are parameters that follow from the file's other sections: sites, and the
	// times after which an address goes back.
	Sites, WellAfter string

	links []Check // those that interfaces of addresses are short for

	// Env is the environment of a HAProxy that runs here, in place of the stand-in values. It is
	// never in the file.
	Env []string
}

const defaultMonitor = "15s" // the tutorial's

// Params returns the parameters of the agent ocf:hawser:haproxy.
func (h *HAProxy) Params() []Param {
	all := params(h.keys())
	for _, p := range []Param{{contract.ParamSites, h.Sites}, {contract.ParamWellAfter, h.WellAfter}} {
		if p.Value != "" {
			all = append(all, p)
		}
	}
	return all
}

func (h *HAProxy) keys() []key {
	return []key{
		{
			name:   "config",
			kind:   path(&h.Config),
			at:     &h.ConfigAt,
			doc:    "HAProxy's configuration: a file, or a directory whose files *.cfg are read",
			def:    contract.DefaultConffile,
			param:  contract.ParamConffile,
			effect: restart,
		},
		{
			name:   "binary",
			kind:   path(&h.Binary),
			doc:    "the program",
			def:    contract.DefaultBinpath,
			param:  contract.ParamBinpath,
			effect: restart,
		},
		{
			name:   "extra",
			kind:   arguments(&h.Extra),
			doc:    "further arguments, quoted as for a shell",
			param:  contract.ParamExtraconf,
			effect: restart,
		},
		{
			name:    "monitor",
			kind:    length(&h.Monitor),
			doc:     "how often HAProxy is checked",
			def:     defaultMonitor,
			written: true,
			effect:  nothing,
		},
		{
			name: "checks",
			kind: checkList(h),
			list: true,
			doc: "what a node must be able to do. Each address prefers the nodes where its checks " +
				"hold; a check that fails on every node changes nothing, and none stops HAProxy",
			param:  contract.ParamChecks,
			effect: reload,
		},
		{
			name: "check",
			kind: mapping(h.Check.keys()...),
			at:   &h.CheckAt,
			doc:  "short for one of checks with the name " + contract.CheckURLName,
		},
		{
			name: "min_servers",
			kind: whole(&h.MinServers, 0, param.MostServers),
			at:   &h.MinServersAt,
			doc: "short for one of checks with the name " + contract.MinServersName + ", backend " +
				param.EveryBackend + " and this min_servers",
			def:    strconv.Itoa(contract.DefaultMinServers),
			effect: reload,
		},
		{
			name:   "stop_grace",
			kind:   length(&h.StopGrace),
			doc:    "how long open connections may finish when HAProxy is stopped",
			def:    param.FormatDuration(contract.DefaultStopGrace),
			param:  contract.ParamStopGrace,
			effect: reload,
		},
		{
			name: "start_timeout",
			kind: length(&h.StartTimeout),
			doc: "how long HAProxy may take to start: large caches, thousands of certificates and " +
				"slow resolvers take long to load",
			def:    param.FormatDuration(contract.HAProxyStartTimeout),
			effect: nothing,
		},
		{
			name: "reload_timeout",
			kind: length(&h.ReloadTimeout),
			doc: "how long a reload may take: the configuration is checked and then loaded, which " +
				"takes twice as long as at a start",
			def:    param.FormatDuration(contract.HAProxyReloadTimeout),
			effect: nothing,
		},
		{
			name:   "keeper",
			kind:   onOff(&h.Keeper),
			doc:    "a HAProxy that crashed is started again at once, its listening sockets kept",
			def:    onOffWord(contract.DefaultKeeper),
			param:  contract.ParamKeeper,
			effect: reload,
		},
		{
			name:   "max_crashes",
			kind:   whole(&h.MaxCrashes, 1, contract.CrashesKept),
			doc:    "with that many crashes within crash_window the cluster recovers HAProxy",
			def:    strconv.Itoa(contract.DefaultMaxCrashes),
			param:  contract.ParamMaxCrashes,
			effect: reload,
		},
		{
			name:   "crash_window",
			kind:   length(&h.CrashWindow),
			doc:    "the time over which crashes are counted",
			def:    param.FormatDuration(contract.DefaultCrashWindow),
			param:  contract.ParamCrashWindow,
			effect: reload,
		},
		{
			name: "hang_time",
			kind: hangTime(&h.HangTime),
			doc: "a HAProxy that answers nothing on its stats socket for so long, and does nothing " +
				"else, counts as hung",
			def:    param.FormatDuration(contract.DefaultHangTime),
			param:  contract.ParamHangTime,
			effect: reload,
		},
		{
			name:   "unit",
			kind:   service(&h.Unit),
			doc:    "the systemd service whose settings HAProxy runs with, or none",
			def:    contract.DefaultUnit,
			param:  contract.ParamUnit,
			effect: restart,
		},
		{
			name:      "anchor_ip",
			kind:      hostAddress(&h.AnchorIP),
			doc:       "HAWSER_ANCHOR_IP in HAProxy's environment, the same on every node",
			otherwise: "each node's, as the metadata service has it",
			param:     contract.ParamAnchorIP,
			effect:    restart,
		},
		{
			name:      "private_ip",
			kind:      hostAddress(&h.PrivateIP),
			doc:       "HAWSER_PRIVATE_IP in HAProxy's environment, the same on every node",
			otherwise: "each node's, as the metadata service has it",
			param:     contract.ParamPrivateIP,
			effect:    restart,
		},
		{
			name:   "metadata_url",
			kind:   origin(&h.MetadataURL),
			doc:    "another metadata service, scheme://host:port",
			def:    contract.DefaultMetadataURL,
			param:  contract.ParamMetadataURL,
			effect: reload,
		},
	}
}

// hangTime is a length of time within the limits of one for which HAProxy may be silent.
func hangTime(to *string) kind {
	k := length(to).number(param.ShortestHang, param.LongestHang)
	k.set = one("", to, as(param.ParseHangTime)).set
	return k
}

func (c *ShortCheck) keys() []key {
	return []key{
		{
			name:     "url",
			kind:     checkURL(&c.URL),
			doc:      "as that of checks",
			required: true,
			hint: "expected the address that is requested through the balancer, such as " +
				"http://127.0.0.1/health",
			effect: reload,
		},
		{
			name: "timeout",
			kind: one("a length of time such as 500ms or 5s", &c.Timeout, as(param.ParseCheckTime)).
				number(param.ShortestCheckTimeout, param.LongestCheckTimeout),
			doc:    "as that of checks",
			def:    param.FormatDuration(contract.DefaultCheckTimeout),
			effect: reload,
		},
		{
			name: "every",
			kind: one("a length of time such as 2s or 1min", &c.Every, as(param.ParseCheckEvery)).
				number(param.ShortestEvery, param.LongestEvery),
			doc:    "as that of checks",
			def:    param.FormatDuration(param.DefaultCheckEvery),
			effect: reload,
		},
	}
}
