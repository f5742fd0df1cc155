package haproxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	"github.com/hawser-ha/hawser/ocf"
)

// sited is a configuration that answers with its site on a port of its own.
func sited(port int) string {
	return fmt.Sprintf("frontend site\n\tbind 127.0.0.1:%d\n\thttp-request return status 200 "+
		"content-type text/plain string \"site ${HAWSER_SITE}.\"\n"+
		".if streq(\"$HAWSER_SITE\",reserve)\nbackend only-reserve\n\tserver s 127.0.0.1:9\n.endif\n", port)
}

// site asks HAProxy.
func (w *world) site(port int) string {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	require.NoError(w.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return string(text)
}

// TestSite: HAProxy knows its node's site, and another one by a reload. The check of a node in none
// knows that, too.
func TestSite(t *testing.T) {
	w := remembered(t)
	port := freePort(t)
	w.hash(w.config(sited(port)))
	w.r = w.r.With("sites", "main=lb-1,lb-2 reserve=lb-3")
	w.start()
	require.Equal(t, "site main.", w.site(port))
	w.want(ocf.Success, w.r.Monitor(0))
	master := w.state().Master
	move := func(sites, says string) {
		t.Helper()
		w.r = w.r.With("sites", sites)
		w.reload()
		require.Equal(t, "site "+says+".", w.site(port))
		require.Equal(t, says, variables.SiteIn(w.state().Env))
		require.Equal(t, says == "reserve", strings.Contains(w.backends(), "only-reserve"))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, master, w.state().Master, "and no restart")
	}
	move("main=lb-2 reserve=lb-1,lb-3", "reserve")
	worker := w.worker().PID
	move("main=lb-4 reserve=lb-1", "reserve")
	require.Equal(t, worker, w.worker().PID, "for this node nothing has changed")
	move("reserve=lb-3", "")
	move("far=lb-1", "far")
	move("", "")
	move("main=lb-1", "main")

	t.Run("what is being edited is not loaded for it", func(t *testing.T) {
		w.hash(w.config(sited(port) + another))
		w.r = w.r.With("sites", "reserve=lb-1")
		w.reload()
		require.Equal(t, "site main.", w.site(port))
		w.want(ocf.DegradedCode, w.r.Monitor(0), `HAWSER_SITE=main, and this node is in the site "reserve" now`)
		w.r = w.r.With("generation", "monday")
		w.reload()
		require.Equal(t, "site reserve.", w.site(port))
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("a monitor catches up", func(t *testing.T) {
		w.r = w.r.With("sites", "main=lb-1")
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, "site main.", w.site(port))
	})
	t.Run("whoever calls by hand may leave it out", func(t *testing.T) {
		w.want(ocf.Success, w.r.With("sites", "").Run("reload-agent",
			map[string]string{"OCF_RESKEY_CRM_meta_on_node": ""}))
		require.Equal(t, "site main.", w.site(port))
	})
}

// TestSiteThatCannotBeLoaded: what is being edited meanwhile is not loaded in the place of what could not be.
func TestSiteThatCannotBeLoaded(t *testing.T) {
	w := remembered(t)
	port := freePort(t)
	w.hash(w.config(sited(port) + ".if streq(\"$HAWSER_SITE\",reserve)\nbackend b\n\tnonsense\n.endif\n"))
	w.r = w.r.With("sites", "main=lb-1")
	w.start()
	w.r = w.r.With("sites", "reserve=lb-1")
	w.reload()
	require.Equal(t, "site main.", w.site(port))
	w.want(ocf.DegradedCode, w.r.Monitor(0), "the old configuration serves")
	w.hash(w.config(sited(port) + another))
	w.want(ocf.DegradedCode, w.r.Monitor(0), `HAWSER_SITE=main, and this node is in the site "reserve" now`)
	require.Equal(t, "site main.", w.site(port))
	w.r = w.r.With("generation", "monday")
	w.reload()
	require.Equal(t, "site reserve.", w.site(port))
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestSiteThatNobodyMentions: HAProxy reads nothing for it.
func TestSiteThatNobodyMentions(t *testing.T) {
	w := remembered(t)
	w.hash(w.config(""))
	w.r = w.r.With("sites", "main=lb-1")
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
	worker := w.worker().PID
	w.r = w.r.With("sites", "reserve=lb-1")
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, worker, w.worker().PID)
	require.Equal(t, "reserve", variables.SiteIn(w.state().Env))
	require.Contains(t, environ(w.worker().PID), "HAWSER_SITE=main")
}

// TestSiteAfterACrash: HAProxy comes back with the site that it had, and not that of its start.
func TestSiteAfterACrash(t *testing.T) {
	w := newKeptWorld(t)
	port := freePort(t)
	w.hash(w.config(sited(port)))
	w.r = w.r.With("sites", "main=here")
	w.guarded()
	w.r = w.r.With("sites", "reserve=here")
	w.reload()
	require.Equal(t, "site reserve.", w.site(port))
	before := w.state().Master
	w.guards()
	require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
	w.eventually("HAProxy is back", func() bool { return w.state().Master != before && w.get() == nil })
	require.Equal(t, "site reserve.", w.site(port))
}

func TestSitesThatAreWrong(t *testing.T) {
	w := newWorld(t)
	w.r = w.r.With("sites", "main=lb-1 reserve=lb-1")
	w.want(ocf.ErrConfigured, w.r.Start(), "has the node lb-1 twice: in main and in reserve")
}
