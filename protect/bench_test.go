package protect

import (
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkReloads reloads HAProxy with -sf for twenty seconds over loopback, 100 ms from one
// beginning to the next: as it is, and held in both ways. A kernel without the plug qdisc leaves
// that way out and says so. It needs no cluster, so that a virtual machine with another kernel can
// run it.
func BenchmarkReloads(b *testing.B) {
	loopback := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
	for _, way := range []struct {
		name   string
		method Method
	}{{"bare", ""}, {"nfqueue", NFQueue}, {"plug", Plug}} {
		b.Run(way.name, func(b *testing.B) {
			p := newPlace(b)
			reload := p.haproxy(b, 8099)
			// an emulated machine is slow
			o := Options{Match: Match{Ports: []uint16{8099}, Addresses: loopback},
				Method: way.method, MaxHold: 30 * time.Second}
			if way.method != "" {
				if code, said := p.run(b, o, "true"); code != 0 {
					b.Skip(said)
				}
			}
			l := startLoad(b, "http://127.0.0.1:8099/")
			reloads := 0
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); reloads++ {
				next := time.Now().Add(100 * time.Millisecond)
				if way.method == "" {
					out, err := exec.Command(reload[0], reload[1:]...).CombinedOutput()
					require.NoError(b, err, "%s", out)
				} else {
					code, said := p.run(b, o, reload...)
					require.Zero(b, code, said)
				}
				time.Sleep(time.Until(next))
			}
			report := l.Stop()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(reloads), "reloads")
			b.ReportMetric(float64(report.Requests), "requests")
			b.ReportMetric(float64(report.Failed), "failed")
			b.ReportMetric(float64(report.P50.Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(report.P99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(report.Max.Microseconds())/1000, "max-ms")
		})
	}
}
