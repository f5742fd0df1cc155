package fencedroplet_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
)

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
