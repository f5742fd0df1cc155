package fencedroplet_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/needs"
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

func TestPowerCycleOfADroplet(t *testing.T) {
	s := newStage(t)
	status := func(want int) {
		t.Helper()
		require.Equal(t, want, s.run("action=status", "port=lb-2").code)
	}
	status(0)
	r := s.run("action=off", "port=lb-2", "nodename=lb-2")
	require.Equal(t, result{0, "Success: Powered OFF\n", ""}, r)
	require.False(t, s.on(1002))
	status(2)
	require.Equal(t, 0, s.run("action=off", "port=1002").code, "it is off already")
	require.Equal(t, result{0, "Success: Powered ON\n", ""}, s.run("action=on", "plug=1002"))
	require.True(t, s.on(1002))
	require.Equal(t, 0, s.run("action=on", "plug=1002").code, "it is on already")
	r = s.run("action=REBOOT", "port=lb-2", "power_wait=5")
	require.Equal(t, result{0, "Success: Rebooted\n", ""}, r)
	require.True(t, s.on(1002))
	require.Equal(t, 0, s.run("port=lb-2").code, "reboot is the default")
	require.Eventually(t, func() bool { return s.on(1002) }, 5*time.Second, time.Millisecond)
	require.Equal(t, 0, s.run("action=off", "nodename=lb-2").code, "the node's name alone")
	require.Equal(t, 0, s.run("action=reboot", "port=lb-2", "power_wait=5").code,
		"of one that is off")
	require.True(t, s.on(1002))
}

func TestDropletIsFoundByItsTag(t *testing.T) {
	s := newStage(t)
	require.Equal(t, 0, s.run("action=off", "port=tag:left").code)
	require.False(t, s.on(2001))
	require.True(t, s.on(2002))
	require.Equal(t, 2, s.run("action=status", "port=twin", "tag=left").code,
		"the tag tells the two of a name apart")
	require.Equal(t, 0, s.run("action=status", "port=2002").code)
}

func TestList(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.SetPower(1002, false))
	require.Equal(t, result{0, "1001,lb-1\n1002,lb-2\n2001,twin\n2002,twin\n3001,db\n", ""},
		s.run("action=list"))
	require.Equal(t, result{0, "1001,lb-1,ON\n1002,lb-2,OFF\n", ""},
		s.run("action=list-status", "tag=LB"))
	require.Equal(t, "1001=lb-1\n", s.run("action=list", "tag=first", "separator==").stdout)
	require.Equal(t, result{0, "", ""}, s.run("action=monitor"))
	require.Equal(t, result{0, "", ""}, s.run("action=monitor", "tag=lb"))
	require.Equal(t, result{0, "", ""}, s.run("action=validate-all"))
	for i := range 250 { // more than a page has
		s.AddDroplet(cloud.Droplet{ID: 5000 + i})
	}
	require.Len(t, strings.Fields(s.run("action=list").stdout), 255)
}

func TestFindIsWhatAFenceWouldFind(t *testing.T) {
	s := newStage(t)
	options := fencedroplet.Options{TokenFile: s.tokenFile, API: s.api}
	for _, plug := range []string{"lb-2", "1002"} {
		m, err := fencedroplet.Find(t.Context(), options, plug)
		require.NoError(t, err)
		require.Equal(t, fencedroplet.Machine{ID: 1002, Name: "lb-2",
			Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.12")}}, m)
	}
	_, err := fencedroplet.Find(t.Context(), options, "twin")
	require.ErrorContains(t, err, "2 match")
	options.Tag = "left"
	m, err := fencedroplet.Find(t.Context(), options, "twin")
	require.NoError(t, err)
	require.Equal(t, 2001, m.ID)
	_, err = fencedroplet.Find(t.Context(), options, "1002")
	require.ErrorContains(t, err, "does not have the tag left")
}

// Bad input and refusals: the reason, exit code 1, and everything stays on.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		token  string
		lines  []string
		before func(*stage)
		reason string
	}{
		"unknown name": {lines: []string{"port=lb-9"},
			reason: `cannot find the droplet "lb-9": the API knows none under this token`},
		"unknown id": {lines: []string{"port=9999"},
			reason: `cannot find the droplet "9999": no such droplet (the API says 404`},
		"another case": {lines: []string{"port=LB-2"},
			reason: `cannot find the droplet "LB-2": the API knows none`},
		"unknown tag": {lines: []string{"port=tag:none"},
			reason: `the API knows none under this token`},
		"two of a name": {lines: []string{"port=twin"},
			reason: `2 match: droplet 2001 (twin), droplet 2002 (twin): give the id in pcmk_host_map`},
		"two of a tag": {lines: []string{"port=tag:lb"},
			reason: `2 match: droplet 1001 (lb-1), droplet 1002 (lb-2)`},
		"without the tag": {lines: []string{"port=db", "tag=lb"},
			reason: `droplet 3001 (db) does not have the tag lb, and only those that have it are considered`},
		"an id without it": {lines: []string{"port=3001", "tag=lb"},
			reason: `does not have the tag lb`},
		"no droplet named": {reason: "parameter plug is not set: off needs a " +
			"machine"},
		"no name at all": {lines: []string{"port=../v2/account"},
			reason: `that is no id, no name of a droplet`},
		"two names": {lines: []string{"port=lb-1,lb-2"},
			reason: `that is no id, no name of a droplet`},
		"itself": {lines: []string{"port=lb-1"},
			reason: "refused: droplet 1001 (lb-1) is the droplet that this runs on: is the host " +
				"map right"},
		"itself by id": {lines: []string{"port=1001"},
			reason: "is the droplet that this runs on"},
		"a token that reads": {token: reader, lines: []string{"port=lb-2"},
			reason: "cannot power droplet 1002 (lb-2) off: the token lacks a right (the API says " +
				"403"},
		"a token that cannot": {token: blind, lines: []string{"port=lb-2"},
			reason: "the token lacks a right (the API says 403"},
		"a tag that the token may not ask for": {token: blind, lines: []string{"port=tag:left"},
			reason: "it needs the scopes droplet:read, droplet:update and tag:read"},
		"a token refused": {token: "dop_v1_other",
			lines: []string{"port=lb-2"}, reason: "the token is refused (the API says 401"},
		"a token of two": {token: "a b", lines: []string{"port=lb-2"},
			reason: "holds more than a token"},
		"a token that others may read": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			require.NoError(s.t, os.Chmod(s.tokenFile, 0o644))
		},
			reason: "is open to others (mode 0644): chmod 0600"},
		"no token": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			require.NoError(s.t, os.Remove(s.tokenFile))
		}, reason: "is missing on this node"},
		"a wrong origin": {lines: []string{"port=lb-2", "api_url=ftp://x"},
			reason: `parameter api_url="ftp://x" is not an origin`},
		"a token in place": {lines: []string{"port=lb-2", "token_file=" + token},
			reason: "parameter token_file is not an absolute path"},
		"a wrong time": {lines: []string{"port=lb-2", "power_timeout=soon"},
			reason: `parameter power_timeout="soon" is not a number of seconds`},
		"an action": {lines: []string{"port=lb-2", "action=destroy"},
			reason: `no action "destroy": there are list, list-status, monitor, off, on`},
		"a droplet gone": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 404, Match: "GET /v2/droplets/1002"})
		}, reason: "lb-2 is not known to be off: cannot power droplet 1002 (lb-2) off: no such " +
			"droplet (the API says 404"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, action := range []string{"off", "reboot"} {
				s := newStage(t)
				if test.token != "" {
					s.token(test.token)
				}
				if test.before != nil {
					test.before(s)
				}
				lines := append([]string{"action=" + action}, test.lines...)
				r := s.run(lines...)
				require.Equal(t, 1, r.code, r.stderr)
				require.Contains(t, r.stderr, strings.Replace(test.reason, "off needs",
					action+" needs", 1))
				require.Empty(t, r.stdout)
				for _, d := range s.State().Droplets {
					require.False(t, d.Off, d.Name)
				}
			}
		})
	}
}

// What the cloud does wrong while a fence is under way: it ends in a droplet that is off, or in a
// failure with a reason, and never in a success for one that is on.
func TestOffWithFaults(t *testing.T) {
	for name, test := range map[string]struct {
		faults []cloud.Fault
		time   string // power_timeout; 5 s if empty
		reason string // of a failure
	}{
		"422 once": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 422,
			Match: "POST ", Count: 1}}},
		"a pending event": {faults: []cloud.Fault{{Kind: cloud.PendingEvent, Count: 3}}},
		"a pending event for ever": {faults: []cloud.Fault{{Kind: cloud.PendingEvent}}, time: "0.5",
			reason: "another event of the droplet is still under way (the API says 422"},
		"locked for ever": {faults: []cloud.Fault{{Kind: cloud.Locked}}, time: "0.5",
			reason: "another event of the droplet is still under way (the API says 422"},
		"429 with retry-after": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			Count: 1, RetryAfter: time.Second}}},
		"429 for longer than it has": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			RetryAfter: time.Minute}},
			reason: "the API wants no more requests of this token, for another 1m0s"},
		"500": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 500,
			Count: 4}}},
		"503 for ever": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 503}},
			time: "0.5", reason: "the API says 503"},
		"503 for orders": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 503,
			Match: "POST "}}, time: "0.5", reason: "the API says 503"},
		"no answer once": {faults: []cloud.Fault{{Kind: cloud.Hang, Count: 1}}},
		"no answer to an order": {faults: []cloud.Fault{{Kind: cloud.Hang, Match: "POST ",
			Count: 1}}},
		"no answer ever": {faults: []cloud.Fault{{Kind: cloud.Hang}}, time: "1.5",
			reason: "no answer from "},
		"connections broken": {faults: []cloud.Fault{{Kind: cloud.Drop, Count: 3}}},
		"the answer lost": {faults: []cloud.Fault{{Kind: cloud.LostAnswer, Match: "POST ",
			Count: 1}}},
		"slow": {faults: []cloud.Fault{{Kind: cloud.Latency,
			Delay: 200 * time.Millisecond}}},
		"the action fails once": {faults: []cloud.Fault{{Kind: cloud.ActionError, Count: 1}}},
		"the action fails always": {faults: []cloud.Fault{{Kind: cloud.ActionError}}, time: "0.7",
			reason: "the API accepted it"},
		"the action does nothing": {faults: []cloud.Fault{{Kind: cloud.ActionIdle}}, time: "0.7",
			reason: "the API accepted it"},
		"it did nothing once": {faults: []cloud.Fault{{Kind: cloud.ActionIdle, Count: 1}}},
		"the action never ends": {faults: []cloud.Fault{{Kind: cloud.ActionStuck}}, time: "0.5",
			reason: "the API accepted it, and it is still under way"},
		"no metadata service":      {faults: []cloud.Fault{{Kind: cloud.MetadataStatus}}},
		"a metadata service hangs": {faults: []cloud.Fault{{Kind: cloud.MetadataHang}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if test.time != "" {
				s.time = test.time
			}
			for _, f := range test.faults {
				s.SetFault(f)
			}
			r := s.run("action=off", "port=lb-2")
			s.ClearFaults()
			if test.reason == "" {
				require.Equal(t, 0, r.code, r.stderr)
				require.False(t, s.on(1002))
				return
			}
			require.Equal(t, 1, r.code, r.stderr)
			require.Contains(t, r.stderr, test.reason)
			require.Contains(t, r.stderr, "lb-2 is not known to be off: ")
			require.Empty(t, r.stdout)
		})
	}
}

const noEvents = `{"actions":[],"meta":{"total":0}}`

// scripted runs the agent against an API that answers for droplet 1002 as the test says.
func scripted(t *testing.T, get func(asked int64) (status string, locked bool),
	post func() int) *stage {
	return scriptedWithEvents(t, noEvents, get, post)
}

// scriptedWithEvents has a list of the droplet's events, too; without one the token may not see it.
func scriptedWithEvents(t *testing.T, events string, get func(asked int64) (status string,
	locked bool), post func() int) *stage {
	s := newStage(t)
	var asked atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			w.WriteHeader(post())
			_, _ = io.WriteString(w, `{"action":{"id":7,"status":"in-progress"}}`)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/actions") {
			if events == "" {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `{"id":"forbidden","message":"You are not authorized"}`)
				return
			}
			_, _ = io.WriteString(w, events)
			return
		}
		status, locked := get(asked.Add(1))
		_, _ = fmt.Fprintf(w, `{"droplet":{"id":1002,"name":"lb-2","status":%q,"locked":%t}}`,
			status, locked)
	}))
	t.Cleanup(api.Close)
	s.api, s.time = api.URL, "0.6"
	return s
}

func TestOffAndOnAgain(t *testing.T) {
	created := func() int { return http.StatusCreated }
	t.Run("switched on by somebody between two looks", func(t *testing.T) {
		s := scripted(t, func(n int64) (string, bool) {
			if n == 3 {
				return "off", false
			}
			return "active", false
		}, created)
		r := s.run("action=off", "port=1002")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"1002 was off and is ON again: does something else switch it on?")
	})
	stillOff := func(int64) (string, bool) { return "off", false }
	event := func(kind, status string) string {
		now := time.Now().UTC().Format(time.RFC3339)
		return fmt.Sprintf(
			`{"actions":[{"id":9,"type":%q,"status":%q,"started_at":%q,"completed_at":%[3]q,"resource_type":"droplet"}],"meta":{"total":1}}`, kind, status, now)
	}
	for _, status := range []string{"in-progress", "completed"} {
		t.Run("off in somebody's reboot that is "+status, func(t *testing.T) {
			s := scriptedWithEvents(t, event("reboot", status), stillOff, created)
			r := s.run("action=off", "port=1002")
			require.Equal(t, 1, r.code)
			require.Contains(t, r.stderr,
				`another event of it (reboot), which may switch it on, is under way or has just ended (it reads "off")`)
			r = s.run("action=status", "port=1002")
			require.Equal(t, 1, r.code)
			require.Contains(t, r.stderr,
				`it reads "off", and an event of it (reboot) is under way or has just ended`)
		})
	}
	t.Run("off, and a power-off under way", func(t *testing.T) {
		s := scriptedWithEvents(t, event("power_off", "in-progress"), stillOff, created)
		s.time = "5"
		require.Equal(t, result{0, "Success: Powered OFF\n", ""}, s.run("action=off", "port=1002"))
		require.Equal(t, 2, s.run("action=status", "port=1002").code)
	})
	t.Run("a token that may not see events", func(t *testing.T) {
		s := scriptedWithEvents(t, "", stillOff, created)
		s.time = "5"
		r := s.run("action=off", "port=1002")
		require.Equal(t, 0, r.code, "its state alone counts")
		require.Contains(t, r.stderr,
			"warning: which events of droplet 1002 (lb-2) are under way cannot be seen")
		s = scriptedWithEvents(t, "", func(int64) (string, bool) { return "off", true }, created)
		require.Equal(t, 1, s.run("action=off", "port=1002").code, "it is locked")
	})
	t.Run("locked, off, and no event", func(t *testing.T) {
		s := scripted(t, func(int64) (string, bool) { return "off", true }, created)
		s.time = "5"
		require.Equal(t, result{0, "Success: Powered OFF\n", ""}, s.run("action=off", "port=1002"))
	})
	t.Run("a state that nobody knows", func(t *testing.T) {
		s := scripted(t, func(int64) (string, bool) { return "archive", false }, created)
		require.Equal(t, 1, s.run("action=off", "port=1002").code)
		r := s.run("action=status", "port=1002")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr, `the API says that it is "archive"`)
	})
	t.Run("the order refused although it is carried out", func(t *testing.T) {
		var posted atomic.Bool
		s := scripted(t, func(int64) (string, bool) {
			if posted.Load() {
				return "off", false
			}
			return "active", false
		}, func() int { posted.Store(true); return http.StatusUnprocessableEntity })
		require.Equal(t, result{0, "Success: Powered OFF\n", ""}, s.run("action=off", "port=1002"))
	})
	t.Run("a reboot whose droplet cannot be switched on", func(t *testing.T) {
		s := scripted(t, func(int64) (string, bool) {
			return "off", false
		}, func() int { return http.StatusForbidden })
		r := s.run("action=reboot", "port=1002")
		require.Equal(t, 0, r.code, "it is fenced")
		require.Contains(t, r.stderr,
			"1002 was fenced and is off, and could not be switched on again: switch it on by "+
				"hand: cannot power droplet 1002 (lb-2) on")
	})
	t.Run("an answer that is none, once", func(t *testing.T) {
		s := scripted(t, nil, nil)
		var asked, posted atomic.Int64
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.Method == http.MethodPost:
				posted.Add(1)
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"action":{"id":7,"status":"in-progress"}}`)
			case asked.Add(1)%2 == 1:
				_, _ = io.WriteString(w, `{}`) // also to a question for events
			case strings.HasSuffix(r.URL.Path, "/actions"):
				_, _ = io.WriteString(w, noEvents)
			case posted.Load() == 0:
				_, _ = io.WriteString(w, `{"droplet":{"id":1002,"status":"active"}}`)
			default:
				_, _ = io.WriteString(w, `{"droplet":{"id":1002,"status":"off"}}`)
			}
		}))
		t.Cleanup(api.Close)
		s.api, s.time = api.URL, "5"
		require.Equal(t, result{0, "Success: Powered OFF\n", ""}, s.run("action=off", "port=1002"))
	})
	t.Run("the answer is about another droplet", func(t *testing.T) {
		s := scripted(t, nil, nil)
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"droplet":{"id":1003,"status":"off"}}`)
		}))
		t.Cleanup(api.Close)
		s.api = api.URL
		r := s.run("action=off", "port=1002")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr, "the answer is not about a droplet")
	})
	t.Run("locked although the order is taken", func(t *testing.T) {
		var posted atomic.Bool
		s := scripted(t, func(int64) (string, bool) {
			if posted.Load() {
				return "off", false
			}
			return "active", true
		}, func() int { posted.Store(true); return http.StatusCreated })
		s.time = "5"
		require.Equal(t, result{0, "Success: Powered OFF\n", ""}, s.run("action=off", "port=1002"))
	})
	t.Run("another API", func(t *testing.T) {
		s := scripted(t, nil, nil)
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"off"}`)
		}))
		t.Cleanup(api.Close)
		s.api = api.URL
		for _, plug := range []string{"1002", "lb-2"} {
			r := s.run("action=off", "port="+plug)
			require.Equal(t, 1, r.code)
			require.Contains(t, r.stderr, "the answer is not about a droplet")
		}
	})
}

func TestLatestEvent(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *godo.Timestamp { return &godo.Timestamp{Time: now.Add(-d)} }
	running := func(id int, kind string, started time.Duration) godo.Action {
		return godo.Action{ID: id, Type: kind, Status: "in-progress", StartedAt: ago(started),
			ResourceType: "droplet"}
	}
	over := func(id int, kind, status string, ended time.Duration) godo.Action {
		return godo.Action{ID: id, Type: kind, Status: status, StartedAt: ago(ended + time.Second),
			CompletedAt: ago(ended), ResourceType: "droplet"}
	}
	for name, test := range map[string]struct {
		actions      []godo.Action
		busy, rising string
	}{
		"none": {},
		"a power-on": {[]godo.Action{running(5, "power_on", time.Second)},
			"power_on", "power_on"},
		"a snapshot": {[]godo.Action{running(5, "snapshot", time.Minute)},
			"snapshot", "snapshot"},
		"a kind that nobody knows": {[]godo.Action{running(5, "teleport", 0)}, "teleport",
			"teleport"},
		"a power-off": {[]godo.Action{running(5, "power_off", time.Second)},
			"power_off", ""},
		"a power-on just over": {[]godo.Action{over(5, "power_on", "completed",
			3*time.Second)}, "", "power_on"},
		"a power-on that just failed": {[]godo.Action{over(5, "power_on", "errored",
			3*time.Second)}, "", "power_on"},
		"a power-on of before": {[]godo.Action{over(5, "power_on", "completed",
			time.Minute)}, "", ""},
		"a power-off after it": {[]godo.Action{over(5, "power_on", "completed",
			3*time.Second), over(6, "power_off", "completed", time.Second)}, "", ""},
		"the oldest first": {[]godo.Action{over(4, "create", "completed", time.Hour),
			running(5, "power_on", time.Second)}, "power_on", "power_on"},
		"one that was forgotten": {[]godo.Action{running(5, "power_on", 2*time.Hour)}, "", ""},
		"without a time": {[]godo.Action{{ID: 5, Type: "power_on",
			Status: "in-progress"}}, "power_on", "power_on"},
		"of an address": {[]godo.Action{{ID: 5, Type: "assign_ip",
			Status: "in-progress", ResourceType: "floating_ip"}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			busy, rising := fencedroplet.Latest(test.actions, now)
			require.Equal(t, [2]string{test.busy, test.rising}, [2]string{busy, rising})
		})
	}
}

func TestItself(t *testing.T) {
	t.Run("known from a note while the metadata service is down", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, 0, s.run("action=monitor").code)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		s.at.Addresses = nil
		require.Contains(t, s.run("action=off", "port=lb-1").stderr,
			"is the droplet that this runs on")
		require.Equal(t, 0, s.run("action=off", "port=lb-2").code)
	})
	t.Run("known by its address", func(t *testing.T) {
		s := newStage(t)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		r := s.run("action=off", "port=lb-1")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"refused: droplet 1001 (lb-1) has the address 198.51.100.11, which is this machine's")
		require.True(t, s.on(1001))
	})
	t.Run("not known at all", func(t *testing.T) {
		s := newStage(t)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		r := s.run("action=off", "port=db") // which has no addresses
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"refused: it is not known whether droplet 3001 (db) is the droplet that this runs "+
				"on: cannot find out which droplet this is")
		require.True(t, s.on(3001))
	})
}

func TestMonitorFindsWhatWouldKeepAFenceFromWorking(t *testing.T) {
	s := newStage(t)
	require.Contains(t, s.run("action=monitor", "tag=nobody").stderr,
		"the API has no droplets with the tag nobody for this token: nothing can be fenced")
	require.Equal(t, 1, s.run("action=monitor", "port=lb-9").code)
	s.token(blind)
	require.Equal(t, 1, s.run("action=monitor").code)
	require.Equal(t, 0, s.run("action=validate-all").code, "which asks nobody")
	require.NoError(t, os.Remove(s.tokenFile))
	require.Contains(t, s.run("action=validate-all").stderr, "is missing on this node")
}

func TestHelpFitsATerminal(t *testing.T) {
	text := newStage(t).main(fence.Env{Args: []string{"fence_droplet", "--help"}}).stdout
	require.Contains(t, text, "--token-file")
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 80, line)
	}
}

func TestMetadataPassesTheSchema(t *testing.T) {
	xmllint := needs.Command(t, "xmllint")
	const schema = "/usr/share/cluster/relaxng/metadata.rng"
	needs.File(t, schema)
	s := newStage(t)
	r := s.main(fence.Env{Args: []string{"fence_droplet", "-o", "metadata"}})
	require.Equal(t, 0, r.code)
	require.Equal(t, r.stdout, s.main(fence.Env{Args: []string{"fence_droplet"},
		Stdin: strings.NewReader("action=metadata\n")}).stdout)
	cmd := exec.Command(xmllint, "--noout", "--relaxng", schema, "-")
	cmd.Stdin = strings.NewReader(r.stdout)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, r.stdout)
	for _, want := range []string{
		`<parameter name="port" unique="0" required="0" deprecated="1">`,
		`<parameter name="plug" unique="0" required="0" obsoletes="port">`,
		`<parameter name="token_file" unique="0" required="1">`,
		`<content type="second" default="40">`, `<action name="off"></action>`,
		`<action name="on" automatic="0"></action>`,
	} {
		require.Contains(t, r.stdout, want)
	}
}
