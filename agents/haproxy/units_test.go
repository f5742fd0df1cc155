package haproxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// TestUnitThatIsNoMore: what a HAProxy had of its unit is not what one that takes its place has.
func TestUnitThatIsNoMore(t *testing.T) {
	w := newWorld(t)
	w.start()
	f := w.instance()
	s, ok := f.Load()
	require.True(t, ok)
	s.Given = &systemd.Settings{User: "www-data", Group: "www-data"}
	require.NoError(t, f.Save(s))
	// another command line: it is ended, and another one started
	w.r = w.r.With("extraconf", "-m 512")
	w.start()
	fragment, err := os.ReadFile(f.Fragment())
	require.NoError(t, err)
	require.NotContains(t, string(fragment), "uid ")
}

func TestSummaries(t *testing.T) {
	server := func(proxy, status string) client.Stat {
		return client.Stat{Type: client.Server, Proxy: proxy, Service: "s", Status: status}
	}
	servers := []client.Stat{
		server("app", "UP"), server("app", "UP 1/3"), server("app", "DOWN"), server("app", "DRAIN"),
		server("app", "MAINT"),
		server("api", "no check"), server("api", "DOWN 1/2"),
		{Type: client.Backend, Proxy: "stats", Status: "UP"},
	}
	require.Equal(t, "up=3,down=2,draining=2", countServers(servers).String())
	require.Equal(t, "up=0,down=0,draining=0", countServers(nil).String())
}

// metadata returns a metadata service that knows the node's addresses.
func metadata(t *testing.T, handler http.HandlerFunc) string {
	if handler == nil {
		handler = func(rw http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/metadata/v1/interfaces/public/0/anchor_ipv4/address":
				fmt.Fprint(rw, "127.0.0.1\n")
			case "/metadata/v1/interfaces/private/0/ipv4/address":
				fmt.Fprint(rw, "127.0.0.2")
			default:
				http.NotFound(rw, r)
			}
		}
	}
	s := httptest.NewServer(handler)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func TestAddressesFromTheMetadataService(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1",
		`bind "${HAWSER_ANCHOR_IP}"`, 1))
	w.r = w.r.With("metadata_url", metadata(t, nil))
	w.want(ocf.Success, w.r.Run("validate-all", nil))
	w.start()
	require.Contains(t, environ(w.worker().PID), "HAWSER_ANCHOR_IP=127.0.0.1")
	require.NotContains(t, strings.Join(environ(w.worker().PID), " "), "HAWSER_PRIVATE_IP",
		"nobody asked for it")

	t.Run("it is not needed again for a reload", func(_ *testing.T) {
		w.r = w.r.With("metadata_url", "http://127.0.0.1:9")
		w.reload()
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("nor for a restart since boot", func(_ *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		w.start()
	})
	t.Run("a parameter comes before it", func(t *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		w.r = w.r.With("anchor_ip", "127.0.0.1").With("private_ip", "192.0.2.7")
		w.start()
		require.Contains(t, environ(w.worker().PID), "HAWSER_PRIVATE_IP=192.0.2.7")
	})
}

func TestNoMetadataService(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int64
	w.r = w.r.With("metadata_url", metadata(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
	}))
	w.start()
	require.Zero(t, asked.Load(), "nothing asks for what is not mentioned")
	w.want(ocf.Success, w.r.Stop())

	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1",
		`bind "${HAWSER_ANCHOR_IP}"`, 1))
	for name, handler := range map[string]http.HandlerFunc{
		"has no interfaces/public/0/anchor_ipv4/address": http.NotFound,
		"is no address": func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, "<html>")
		},
		"does not answer": func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
		"does not answer: Get \"": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	} {
		w.r = w.r.With("metadata_url", metadata(t, handler))
		result := w.r.Start()
		w.want(ocf.ErrGeneric, result, "HAWSER_ANCHOR_IP", "anchor_ip", "metadata_url", name)
		require.Less(t, result.Took, 10*time.Second)
		w.want(ocf.NotRunning, w.r.Monitor(0))
	}
}

// TestTheMetadataServiceSaysNoOtherAddress: it is asked in clear text, and whoever answers for it
// must not have HAProxy listen on every address, or fail a start for ever with an answer that is
// kept.
func TestTheMetadataServiceSaysNoOtherAddress(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1",
		`bind "${HAWSER_ANCHOR_IP}"`, 1))
	says := func(answer string) string {
		return metadata(t, func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(rw, answer)
		})
	}
	refused := []string{"0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "127.0.0.3", "::1",
		"fe80::1%lo", "127.0.0.1%lo", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "203.0.113.99"}
	for _, answer := range refused {
		w.r = w.r.With("metadata_url", says(answer))
		w.want(ocf.ErrGeneric, w.r.Start(), "HAWSER_ANCHOR_IP", "the metadata service says")
		w.want(ocf.NotRunning, w.r.Monitor(0))
	}

	t.Run("nor takes the place of what it said before", func(t *testing.T) {
		w.r = w.r.With("metadata_url", metadata(t, nil))
		w.start()
		w.want(ocf.Success, w.r.Stop())
		w.r = w.r.With("metadata_url", says("0.0.0.0"))
		w.start()
		require.Contains(t, environ(w.worker().PID), "HAWSER_ANCHOR_IP=127.0.0.1")
		w.want(ocf.Success, w.r.Stop())
	})
	t.Run("nor does one that an older version kept", func(t *testing.T) {
		require.NoError(t, os.WriteFile(w.instance().Metadata(),
			[]byte(`{"HAWSER_ANCHOR_IP":"0.0.0.0"}`), 0o600))
		w.r = w.r.With("metadata_url", "http://127.0.0.1:9")
		w.want(ocf.ErrGeneric, w.r.Start(), "HAWSER_ANCHOR_IP", "does not answer")
	})
	t.Run("a parameter may say any", func(_ *testing.T) {
		w.r = w.r.With("anchor_ip", "0.0.0.0")
		w.start()
	})
	t.Run("the machine's own are without loopback", func(t *testing.T) {
		a := newAgent("")
		own, err := a.Addresses()
		require.NoError(t, err)
		for _, addr := range own {
			require.False(t, addr.IsLoopback() || addr.IsUnspecified(), addr)
		}
	})
}

// publisher is an attrd_updater that keeps its arguments in a file.
const publisher = "#!/bin/sh\necho \"$*\" >> %s\nexit %d\n"

func TestPublish(t *testing.T) {
	w := newWorld(t)
	w.r.Env["OCF_RESKEY_CRM_meta_on_node"] = "lb-1"
	w.write("haproxy.cfg", strings.Replace(w.config(""), "server app-1",
		"default-server check inter 50ms fall 1 rise 1\n\tserver app-1", 1))
	w.write("attrd_updater", fmt.Sprintf(publisher, w.path("told"), 1))
	told := func() string { return w.toldOf("hawser-test") }
	w.start()
	require.Contains(t, environ(w.master().PID), "HAWSER_NODE=lb-1")
	require.Empty(t, told(), "a start tells nothing")

	failed := w.r.Monitor(0)
	w.want(ocf.Success, failed)
	require.Contains(t, failed.Stderr, "cannot report")

	w.write("attrd_updater", fmt.Sprintf(publisher, w.path("told"), 0))
	require.NoError(t, os.Remove(w.path("told")))
	for range 3 {
		w.want(ocf.Success, w.r.Monitor(0))
	}
	require.Equal(t, "-n hawser-test -U up=1,down=0,draining=0\n", told(),
		"once, after it had failed")
	w.want(ocf.Success, w.r.Probe())
	require.Equal(t, 1, strings.Count(told(), "\n"))
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, 2, strings.Count(told(), "\n"),
		"a probe may mean that the cluster has forgotten")

	w.app.Close()
	require.Eventually(t, func() bool {
		w.want(ocf.Success, w.r.Monitor(0))
		return strings.HasSuffix(told(), "-n hawser-test -U up=0,down=1,draining=0\n")
	}, 10*time.Second, 20*time.Millisecond)
	w.want(ocf.Success, w.r.Stop())
	require.True(t, strings.HasSuffix(told(), "-n hawser-test -D\n"), told())

	t.Run("a cluster that does not answer holds nobody up", func(t *testing.T) {
		w.write("attrd_updater", "#!/bin/sh\nexec sleep 3\n")
		w.want(ocf.Success, w.r.Start())
		result := w.r.Monitor(0)
		w.want(ocf.Success, result)
		require.Less(t, result.Took, 2500*time.Millisecond)
	})
}

func environ(pid int) []string {
	env, _ := procfs.Default.Environ(pid)
	return env
}
