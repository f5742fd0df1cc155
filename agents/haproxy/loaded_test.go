package haproxy

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// toldOf returns the calls of attrd_updater about one attribute.
func (w *world) toldOf(attribute string) string {
	text, _ := os.ReadFile(w.path("told"))
	var lines strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "-n "+attribute+" ") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// loaded is the attribute with the configuration that is served.
const loaded = "hawser-test-config"

// taken returns what was last reported to the cluster about the configuration.
func (w *world) taken() contract.Loaded {
	w.t.Helper()
	lines := strings.Split(strings.TrimSpace(w.toldOf(loaded)), "\n")
	_, value, ok := strings.Cut(lines[len(lines)-1], " -U ")
	require.True(w.t, ok, "%q", lines)
	return contract.ParseLoaded(value)
}

// hash is that of the test's configuration file with this text.
func (w *world) hash(text string) string {
	w.t.Helper()
	w.write("haproxy.cfg", text)
	in := w.instance()
	in.Conffile = w.path("haproxy.cfg")
	_, hash := in.OnDisk()
	return hash
}

func clustered(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.r.Env["OCF_RESKEY_CRM_meta_on_node"] = "lb-1"
	w.write("attrd_updater", fmt.Sprintf(publisher, w.path("told"), 0))
	return w
}

func TestTheServedConfigurationIsReported(t *testing.T) {
	w := clustered(t)
	first := w.hash(w.config(""))
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
	got := w.taken()
	require.WithinDuration(t, time.Now(), got.Worker, time.Minute)
	require.Equal(t, contract.Loaded{Serves: first, Worker: got.Worker}, got)
	once := strings.Count(w.toldOf(loaded), "\n")
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, 1, once)
	require.Equal(t, once, strings.Count(w.toldOf(loaded), "\n"), "nothing new, nothing told")

	t.Run("an edit is not served", func(t *testing.T) {
		second := w.hash(w.config(another))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, first, w.taken().Serves)
		require.Equal(t, second, w.taken().Disk)
		w.r = w.r.With("generation", "monday")
		w.reload()
		require.Equal(t, second, w.taken().Serves)
		require.Equal(t, "monday", w.taken().Generation)
		require.Empty(t, w.taken().Disk)
		first = second
	})
	t.Run("nor is what HAProxy refuses", func(t *testing.T) {
		broken := w.hash(w.config("bogus"))
		w.r = w.r.With("generation", "tuesday")
		w.reload()
		got := w.taken()
		require.Equal(t, []string{first, broken, "monday", "tuesday"},
			[]string{got.Serves, got.Disk, got.Generation, got.Asked})
		require.Contains(t, got.Pending, "unknown keyword 'bogus'")
		require.NoError(t, os.Remove(w.path("haproxy.cfg")))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "no such file")
		require.Equal(t, contract.Missing, w.taken().Disk)
	})
	t.Run("what was asked for is taken as soon as it can be", func(t *testing.T) {
		fixed := w.hash(w.config(another + "\n# fixed\n"))
		w.want(ocf.Success, w.r.Monitor(0))
		got := w.taken()
		require.Equal(t, contract.Loaded{Serves: fixed, Generation: "tuesday", Worker: got.Worker,
			OldWorkers: got.OldWorkers, Conns: got.Conns}, got)
	})
	t.Run("a probe may mean that the cluster has forgotten", func(t *testing.T) {
		told := strings.Count(w.toldOf(loaded), "\n")
		w.want(ocf.Success, w.r.Probe())
		w.want(ocf.Success, w.r.Monitor(0))
		require.Greater(t, strings.Count(w.toldOf(loaded), "\n"), told)
	})
	t.Run("a lost state is made up for by the copies", func(t *testing.T) {
		serves := w.taken().Serves
		require.NoError(t, os.Remove(w.instance().State()))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, serves, w.taken().Serves)
		require.NoError(t, os.Remove(w.instance().State()))
		other := w.hash(w.config(""))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Empty(t, w.taken().Serves, "it could be this one or that")
		require.Equal(t, other, w.taken().Disk)
	})
	w.want(ocf.Success, w.r.Stop())
	require.True(t, strings.HasSuffix(w.toldOf(loaded), " -D\n"))
}

// TestAnotherConfigurationThanTheOthers: a generation demands a configuration; a node that has
// another one keeps serving its own.
func TestAnotherConfigurationThanTheOthers(t *testing.T) {
	w := clustered(t)
	first := w.hash(w.config(""))
	w.start()
	worker := w.worker().PID
	wanted := w.hash(w.config(another))
	mine := w.hash(w.config("# mine\n"))
	w.r = w.r.With("generation", contract.NewGeneration(time.Now(), 7, wanted))
	w.reload()
	require.Equal(t, worker, w.worker().PID)
	w.want(ocf.DegradedCode, w.r.Monitor(0), "the old configuration serves", mine+" here",
		wanted+" should be served")
	require.Equal(t, first, w.taken().Serves)
	require.Equal(t, mine, w.taken().Disk)
	require.Contains(t, w.taken().Pending, wanted)

	w.hash(w.config(another))
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, wanted, w.taken().Serves)
	require.Empty(t, w.taken().Pending)

	mine = w.hash(w.config("# mine\n"))
	w.r = w.r.With("stop_grace", "2s")
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, wanted, w.taken().Serves, "nobody has asked for this edit to be loaded")
	require.Equal(t, mine, w.taken().Disk)
	w.r = w.r.With("generation", "mine")
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, mine, w.taken().Serves, "a generation that demands nothing asks for what is there")
}

// What an earlier version noted or demanded under its own name for a configuration is still known.
func TestAnEarlierVersionsNameOfAConfiguration(t *testing.T) {
	w := clustered(t)
	now := w.hash(w.config(""))
	w.start()
	sources, _ := func() ([]client.Source, string) {
		in := w.instance()
		in.Conffile = w.path("haproxy.cfg")
		return in.OnDisk()
	}()
	former := client.Digest(sources)[:contract.HashLength]
	require.NotEqual(t, former, now)
	s, _ := w.instance().Load()
	s.Served.Config = former
	require.NoError(t, w.instance().Save(s))
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, now, w.taken().Serves)
	require.Empty(t, w.taken().Disk)
	w.r = w.r.With("generation", contract.NewGeneration(time.Now(), 7, former))
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, now, w.taken().Serves)
}

// TestOldWorkersAreTold: those with connections are counted until they have ended.
func TestOldWorkersAreTold(t *testing.T) {
	w := clustered(t)
	w.write("haproxy.cfg", w.config("global\n\thard-stop-after 2s\n"))
	w.start()
	c := w.request("/slow")
	defer func() { _ = c.Close() }()
	w.reload()
	require.Equal(t, []int{1, 1}, []int{w.taken().OldWorkers, w.taken().Conns})
	require.Eventually(t, func() bool {
		w.want(ocf.Success, w.r.Monitor(0))
		return w.taken().OldWorkers == 0
	}, 20*time.Second, 50*time.Millisecond, "hard-stop-after ends them")
}
