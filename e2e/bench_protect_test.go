package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/plot"
	"github.com/hawser-ha/hawser/internal/report"
)

// way is one way to reload a HAProxy that has no master process.
type way struct {
	name, short string
	reload      string
	before      string // done once before, and after
	after       string
}

func waysToReload() []way {
	const drop = "tables -%s INPUT -p tcp --dport 8080 --syn -j DROP"
	both := func(what string) string {
		return "ip" + fmt.Sprintf(drop, what) + "; ip6" + fmt.Sprintf(drop, what)
	}
	return []way{
		{name: "`-sf` and nothing else", short: "-sf", reload: bareReload},
		{name: "SYNs dropped meanwhile (`iptables … --syn -j DROP`)", short: "dropped",
			reload: both("I") + "; " + bareReload + "; " + both("D")},
		{name: "SYNs held by NFQUEUE (`hawser protect`)", short: "protect", reload: "hawser protect --ports 8080 -- " + bareReload},
		{name: "`net.ipv4.tcp_migrate_req=1` (Linux 5.14)", short: "migrate_req", reload: bareReload,
			before: "echo 1 >/proc/sys/net/ipv4/tcp_migrate_req", after: "echo 0 >/proc/sys/net/ipv4/tcp_migrate_req"},
		{name: "sockets passed (`-x`)", short: "-x", reload: bareReload + " -x /run/bare.sock"},
	}
}

// measured is what the clients of one way saw.
type measured struct {
	way
	load.Report
	reloads int
}

// BenchmarkReloadHeld reproduces the table that made people hold SYNs during a reload, and adds the ways that have come since.
func BenchmarkReloadHeld(b *testing.B) {
	c := fresh(b)
	n := c.bare(b)
	const during = 20 * time.Second
	var all []measured
	for _, w := range waysToReload() {
		if w.before != "" {
			c.run(b, n.Name, "sh", "-c", w.before)
		}
		l, err := c.StartLoad(b.Context(), "client", load.Plan{URL: fmt.Sprintf("http://%s:8080/", n.Public.Addr()), Every: 500 * time.Microsecond, Timeout: 5 * time.Second})
		require.NoError(b, err)
		m := measured{way: w, reloads: c.reloads(b, n.Name, w.reload, during)}
		m.Report, err = l.Stop()
		require.NoError(b, err)
		if w.after != "" {
			c.run(b, n.Name, "sh", "-c", w.after)
		}
		b.Logf("%-12s %d reloads: %v", w.short, m.reloads, m.Report)
		all = append(all, m)
	}
	recordHeld(b, all)
}

// recordHeld writes the rows, the table and the plot.
func recordHeld(b *testing.B, all []measured) {
	b.Helper()
	failed := report.Row{Section: report.SectionProtect, What: "requests failed, of each million", Goals: []report.Goal{report.AtMost(0)},
		Note: "HAProxy reloaded every 100 ms, or as soon as the reload before has ended, under 2,000 requests a second, each on a connection of its own. Held by the plug qdisc: see docs/reload.md."}
	longest := report.Row{Section: report.SectionProtect, What: "longest wait", Goals: []report.Goal{report.AtMost(1000)},
		Note: "More than 1,000 ms is the time-out after which a client sends its SYN again."}
	p50, p99, most := plot.Series{Name: "p50"}, plot.Series{Name: "p99"}, plot.Series{Name: "max"}
	var names []string
	var table strings.Builder
	table.WriteString("| a reload every 100 ms | reloads | requests | failed | p50 | p99 | longest wait |\n|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		rate := report.Figure{Name: m.short, Value: float64(m.Failed) / float64(m.Requests) * 1e6, Detail: fmt.Sprintf("%d of %d, %d reloads", m.Failed, m.Requests, m.reloads)}
		wait := report.Figure{Name: m.short, Value: ms(m.Max), Unit: "ms", More: []report.Figure{{Name: "p50", Value: ms(m.P50), Unit: "ms"}, {Name: "p99", Value: ms(m.P99), Unit: "ms"}}}
		if m.short == "protect" {
			failed.Ours, longest.Ours = rate, wait
		} else {
			failed.Theirs, longest.Theirs = append(failed.Theirs, rate), append(longest.Theirs, wait)
		}
		names = append(names, m.short)
		p50.Y, p99.Y, most.Y = append(p50.Y, ms(m.P50)), append(p99.Y, ms(m.P99)), append(most.Y, ms(m.Max))
		fmt.Fprintf(&table, "| %s | %d | %d | **%d** | %.2f ms | %.1f ms | %.0f ms |\n", m.name, m.reloads, m.Requests, m.Failed, ms(m.P50), ms(m.P99), ms(m.Max))
	}
	report.Record(b, failed)
	report.Record(b, longest)
	svg, err := plot.Bars(plot.Labels{Title: "Waits under a reload every 100 ms", Y: "milliseconds", LogY: true}, names, p50, p99, most)
	require.NoError(b, err)
	report.Illustrate(b, report.Plot{Section: report.SectionProtect, File: "plots/reload-held.svg", Caption: "Waits of the clients under a reload every 100 ms, by how it is done"}, svg)
	uname, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	average, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(&table, "\nMade by `make bench BENCH='^BenchmarkReloadHeld$'` on %s, Linux %s, %d cores, load averages %.14s at the end, %s.\n",
		time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(uname)), runtime.NumCPU(), average, haproxyVersion(b))
	fill(b, "held", table.String())
}

func haproxyVersion(b *testing.B) string {
	b.Helper()
	c := fresh(b)
	version, _, _ := strings.Cut(c.run(b, "lb-1", "haproxy", "-v"), " 20")
	return version
}

// fill puts a text between the marks of that name in docs/reload.md, beside the file that rows are kept in.
func fill(b *testing.B, mark, content string) {
	b.Helper()
	kept := os.Getenv(report.FileEnv)
	if kept == "" {
		fmt.Print(content)
		return
	}
	path := filepath.Join(filepath.Dir(kept), "reload.md")
	page, err := os.ReadFile(path)
	require.NoError(b, err)
	begin, end := "<!-- "+mark+": written by make bench -->\n", "<!-- "+mark+": end -->"
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	require.True(b, ok && closed, "%s has no marks %q and %q", path, begin, end)
	require.NoError(b, os.WriteFile(path, []byte(head+begin+content+end+tail), 0o600))
}

// BenchmarkReloadHeldByPlug runs the loopback part of the table on a kernel that has the plug qdisc, in a virtual machine without KVM.
// Its figures compare with each other only. Where the machine cannot be had it says that it is left out, in the page too.
func BenchmarkReloadHeldByPlug(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../protect/guest.sh", "../build/guest", "-test.run", "^$", "-test.bench", "Reloads", "-test.benchtime", "1x")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	table := "| over loopback, in a virtual machine under software emulation | reloads | requests | failed | p50 | p99 | longest wait |\n|---|---|---|---|---|---|---|\n"
	found := false
	for _, line := range strings.Split(string(out), "\n") {
		name, figures, ok := guestFigures(line)
		if !ok {
			continue
		}
		found = true
		table += fmt.Sprintf("| %s | %.0f | %.0f | **%.0f** | %.0f ms | %.0f ms | %.0f ms |\n", name, figures["reloads"], figures["requests"],
			figures["failed"], figures["p50-ms"], figures["p99-ms"], figures["max-ms"])
		report.Record(b, report.Row{Section: report.SectionProtect, What: "loopback, emulated machine: " + name,
			Ours: report.Figure{Name: "requests failed", Value: figures["failed"], Detail: fmt.Sprintf("of %.0f", figures["requests"]),
				More: []report.Figure{{Name: "longest wait", Value: figures["max-ms"], Unit: "ms"}}}})
	}
	if err != nil || !found {
		b.Logf("LEFT OUT: the plug qdisc was not measured: %v: %s", err, complaint.String())
		fill(b, "plug", "Not measured: "+strings.TrimSpace(complaint.String())+"\n")
		return
	}
	fill(b, "plug", table+"\nMade by `make bench BENCH='^BenchmarkReloadHeldByPlug$'` on Debian's cloud kernel ("+time.Now().UTC().Format(time.DateOnly)+").\n")
}

// guestFigures reads a line of go test's benchmarks: name, number of runs, then values and units.
func guestFigures(line string) (name string, figures map[string]float64, ok bool) {
	words := strings.Fields(line)
	if len(words) < 4 || !strings.HasPrefix(words[0], "BenchmarkReloads/") {
		return "", nil, false
	}
	name, _, _ = strings.Cut(strings.TrimPrefix(words[0], "BenchmarkReloads/"), "-")
	full := map[string]string{"bare": "`-sf` and nothing else", "nfqueue": "SYNs held by NFQUEUE", "plug": "SYNs held by the plug qdisc"}
	figures = map[string]float64{}
	for i := 2; i+1 < len(words); i += 2 {
		v, err := strconv.ParseFloat(words[i], 64)
		if err != nil {
			return "", nil, false
		}
		figures[words[i+1]] = v
	}
	return full[name], figures, full[name] != ""
}
