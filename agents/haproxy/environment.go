package haproxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// searchPath is the PATH of HAProxy: its configuration may start programs (external-check, Lua).
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// nodeVariable is HAProxy's name for the node, as the cluster knows it.
const nodeVariable = "HAWSER_NODE"

// addressVariable is an address of this node that HAProxy's configuration may mention.
type addressVariable struct {
	name, parameter string
	// path is where the metadata service has it (DigitalOcean, Droplet Metadata API).
	path  string
	value func(*agent) netip.Addr
}

var addressVariables = []addressVariable{
	{"HAWSER_ANCHOR_IP", contract.ParamAnchorIP, "interfaces/public/0/anchor_ipv4/address", func(a *agent) netip.Addr { return a.anchorIP }},
	{"HAWSER_PRIVATE_IP", contract.ParamPrivateIP, "interfaces/private/0/ipv4/address", func(a *agent) netip.Addr { return a.privateIP }},
}

// environment is the HAWSER_ part of HAProxy's environment. HAProxy takes a variable that is not set for an empty word, and would
// bind every address where one was meant: so an address that is mentioned and cannot be found out is an error. The metadata
// service is asked only for what is mentioned and no parameter gives. remember, if not nil, keeps its answers.
func (a *agent) environment(ctx context.Context, sources []client.Source, remember *files) ([]string, error) {
	return a.environmentOf(ctx, sources, remember, ocf.CallFrom(ctx).Node)
}

func (a *agent) environmentOf(ctx context.Context, sources []client.Source, remember *files, node string) ([]string, error) {
	env := []string{nodeVariable + "=" + node}
	for _, v := range addressVariables {
		addr := v.value(a)
		if !addr.IsValid() {
			if !client.Mentions(sources, v.name) {
				continue
			}
			var err error
			if addr, err = a.metadata(ctx, v, remember); err != nil {
				return nil, fmt.Errorf("%s, which the configuration mentions, is unknown here (set %s or metadata_url): %w", v.name, v.parameter, err)
			}
		}
		env = append(env, v.name+"="+addr.String())
	}
	return env, nil
}

// missing are the variables that the configuration mentions and that a HAProxy was not started with.
func missing(sources []client.Source, env []string) []string {
	var names []string
	for _, v := range addressVariables {
		if client.Mentions(sources, v.name) && procfs.Lookup(env, v.name) == "" {
			names = append(names, v.name)
		}
	}
	return names
}

// The metadata service is on the host of this machine. It is asked again because it may not be up yet when a machine boots.
const (
	metadataTimeout  = 2 * time.Second
	metadataAttempts = 2
)

// metadata asks the metadata service for one address. Should it fail, its last answer since boot stands: it says nothing that
// changes while a machine runs.
func (a *agent) metadata(ctx context.Context, v addressVariable, remember *files) (netip.Addr, error) {
	url := a.metadataURL + "/metadata/v1/" + v.path
	var addr netip.Addr
	var err error
	for range metadataAttempts {
		if addr, err = fetchAddr(ctx, url); err == nil {
			if remember != nil {
				remember.keep(v.name, addr)
			}
			return addr, nil
		}
	}
	if remember != nil {
		if addr, ok := remember.kept(v.name); ok {
			ocf.CallFrom(ctx).Warnf("%s is taken from the metadata service's last answer, %s: %v", v.name, addr, err)
			return addr, nil
		}
	}
	return netip.Addr{}, err
}

// fetchAddr gets a document that is an address and nothing else.
func fetchAddr(ctx context.Context, url string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return netip.Addr{}, err
	}
	response, err := direct().Do(request)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 256))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service does not answer: GET %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return netip.Addr{}, fmt.Errorf("the metadata service does not know it: GET %s: %s", url, response.Status)
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(string(body)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service answers something else than an address: GET %s: %q", url, body)
	}
	return addr, nil
}

// direct is an HTTP client without proxies and without connections that outlive a request.
func direct() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: noRedirect}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// keep remembers an answer. That it cannot be kept is no reason not to start.
func (f files) keep(variable string, addr netip.Addr) {
	answers := f.answers()
	answers[variable] = addr
	if text, err := json.Marshal(answers); err == nil {
		_ = writeFile(f.Metadata(), text)
	}
}

func (f files) kept(variable string) (netip.Addr, bool) {
	addr, ok := f.answers()[variable]
	return addr, ok
}

func (f files) answers() map[string]netip.Addr {
	answers := map[string]netip.Addr{}
	text, err := os.ReadFile(f.Metadata())
	if errors.Is(err, os.ErrNotExist) || json.Unmarshal(text, &answers) != nil || answers == nil {
		return map[string]netip.Addr{}
	}
	return answers
}

// Startup is what decides an instance's environment: parameters of the resource, "" where they are not set.
type Startup struct {
	ConfFile, AnchorIP, PrivateIP, MetadataURL string
	ExtraConf                                  []string
}

// EnvironmentFor are the HAWSER_ variables with which HAProxy would be started on the node now. The metadata service is asked where the agent
// would ask it.
func EnvironmentFor(ctx context.Context, s Startup, node string) ([]string, error) {
	a := newAgent("")
	a.conffile, a.extraconf, a.metadataURL = s.ConfFile, s.ExtraConf, cmp.Or(s.MetadataURL, contract.DefaultMetadataURL)
	a.anchorIP, _ = netip.ParseAddr(s.AnchorIP)
	a.privateIP, _ = netip.ParseAddr(s.PrivateIP)
	sources, err := client.ReadSources(a.userFiles())
	if err != nil {
		return nil, err
	}
	return a.environmentOf(ctx, sources, nil, node)
}

// Environment are the HAWSER_ variables that the HAProxy of an instance was started with on this machine, and keeps in its reloads; nil if
// none runs, or they are not to be read.
func Environment(runDir, instance string) []string {
	s, _ := files{contract.FilesOf(runDir, instance)}.load()
	return s.Env
}
