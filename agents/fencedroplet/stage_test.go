package fencedroplet_test

import (
	"bytes"
	"context"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/lab/cloud"
)

const (
	token  = "dop_v1_secret"
	reader = "dop_v1_reader"
	blind  = "dop_v1_blind"
)

// stage is a cloud with the droplets lb-1 (1001), lb-2 (1002), twice twin (2001, 2002) and db
// (3001), and the agent on lb-1.
type stage struct {
	*cloud.Cloud
	t         *testing.T
	api       string
	metadata  string
	tokenFile string
	at        fencedroplet.Stage
	time      string // power_timeout
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, time: "5", Cloud: cloud.New(cloud.Options{
		ActionTime: 20 * time.Millisecond, PerMinute: -1, Hourly: -1,
		Tokens: map[string][]string{token: {cloud.AllScopes}, reader: {cloud.ScopeDropletRead},
			blind: {cloud.ScopeDropletUpdate}},
	})}
	s.AddDroplet(cloud.Droplet{ID: 1001, Name: "lb-1", Tags: []string{"lb", "first"},
		Public: netip.MustParsePrefix("198.51.100.11/24")})
	s.AddDroplet(cloud.Droplet{ID: 1002, Name: "lb-2", Tags: []string{"lb"},
		Public: netip.MustParsePrefix("198.51.100.12/24")})
	s.AddDroplet(cloud.Droplet{ID: 2001, Name: "twin", Tags: []string{"left"}})
	s.AddDroplet(cloud.Droplet{ID: 2002, Name: "twin"})
	s.AddDroplet(cloud.Droplet{ID: 3001, Name: "db"})
	api, metadata := httptest.NewServer(s.API()), httptest.NewServer(s.Metadata(1001))
	t.Cleanup(func() {
		s.ClearFaults() // what hangs ends
		api.Close()
		metadata.Close()
	})
	s.api, s.metadata = api.URL, metadata.URL
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	s.tokenFile = filepath.Join(dir, "token")
	s.token(token)
	s.at = fencedroplet.Stage{
		Note: filepath.Join(dir, "droplet"), Firmware: dir,
		Pacing: digitalocean.Pacing{First: 2 * time.Millisecond, Last: 20 * time.Millisecond},
		Addresses: []net.Addr{&net.IPNet{IP: net.IPv4(198, 51, 100, 11),
			Mask: net.CIDRMask(24, 32)}},
	}
	return s
}

func (s *stage) token(text string) {
	require.NoError(s.t, os.WriteFile(s.tokenFile, []byte(text+"\n"), 0o600))
}

type result struct {
	code           int
	stdout, stderr string
}

// run gives the options on standard input, as Pacemaker does.
func (s *stage) run(lines ...string) result {
	s.t.Helper()
	lines = append([]string{
		"token_file=" + s.tokenFile, "api_url=" + s.api, "metadata_url=" + s.metadata,
		"login_timeout=0", "shell_timeout=1", "power_timeout=" + s.time,
	}, lines...)
	return s.main(fence.Env{Args: []string{"fence_droplet"},
		Stdin: strings.NewReader(strings.Join(lines, "\n") + "\n")})
}

func (s *stage) main(env fence.Env) result {
	s.t.Helper()
	var out, complaint, log bytes.Buffer
	env.Stdout, env.Stderr, env.Log = &out, &complaint, &log
	code := fencedroplet.NewOn(s.at).Main(context.Background(), env)
	for _, secret := range []string{token, reader, blind} {
		require.NotContains(s.t, out.String()+complaint.String()+log.String(), secret)
	}
	return result{code, out.String(), complaint.String()}
}

func (s *stage) on(id int) bool {
	for _, d := range s.State().Droplets {
		if d.ID == id {
			return !d.Off
		}
	}
	s.t.Fatalf("no droplet %d", id)
	return false
}
