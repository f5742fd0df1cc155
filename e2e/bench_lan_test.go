package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// lanTakers are the agents that take an address of the LAN, each with the parameters that it needs to do the same.
var lanTakers = []struct {
	name, path string
	params     []string
}{
	{"hawser", "/usr/lib/ocf/resource.d/hawser/floatip", []string{"ip=" + takenIP, "provider=lan"}},
	{"IPaddr2", "/usr/lib/ocf/resource.d/heartbeat/IPaddr2", []string{"ip=" + takenIP, "nic=eth0", "cidr_netmask=24"}},
}

const (
	takenIP = "198.51.100.201"
	// takeovers is how often each agent takes the address over.
	takeovers = 25
	// askEvery is how often the client asks, which is how exact the figures are.
	askEvery = 250 * time.Microsecond
)

// BenchmarkLANTakeover has an address go from one balancer to another, without Pacemaker, while a client on the same Ethernet asks it for
// echoes. The client's ARP cache says that the old holder has it. What is measured begins where Pacemaker would launch the start.
func BenchmarkLANTakeover(b *testing.B) {
	c := fresh(b)
	for _, n := range []string{"lb-1", "lb-2", "client"} {
		c.equip(b, n)
	}
	answered, whole := make([][]time.Duration, len(lanTakers)), make([][]time.Duration, len(lanTakers))
	for i, agent := range lanTakers {
		act := func(node, action string) launched {
			return c.launch(b, node, command{Args: []string{agent.path, action}, Env: ocfEnv("taken", agent.params...)})
		}
		from, to := "lb-1", "lb-2"
		act(from, "start")
		for range takeovers {
			e := c.ask(b, "client", echoes{netip.MustParseAddr(takenIP), askEvery})
			eventually(b, 10*time.Second, "the client has the old holder in its ARP cache", func() error {
				out, err := c.try("client", "ip", "neighbour", "show", takenIP)
				if err == nil && (!strings.Contains(out, "lladdr") || strings.Contains(out, "FAILED")) {
					err = fmt.Errorf("it has %q", out)
				}
				return err
			})
			act(from, "stop")
			start := act(to, "start")
			first := e.firstSince(b, start.Began)
			answered[i] = append(answered[i], first)
			whole[i] = append(whole[i], time.Duration(start.Ended-start.Began))
			from, to = to, from
		}
		act(from, "stop")
	}
	row := func(what string, all [][]time.Duration, goals ...report.Goal) report.Row {
		return report.Row{Section: report.SectionAddress, What: what, Goals: goals,
			Ours: spread(lanTakers[0].name, all[0]), Theirs: []report.Figure{spread(lanTakers[1].name, all[1])}}
	}
	took := row("from the launch of start to the first answer at a client", answered, report.AtMost(20), report.RatioAtMost(1))
	took.Note = fmt.Sprintf("The client asks every %v. hawser first asks the network whether another machine has the address; IPaddr2 does not.", askEvery)
	report.Record(b, took)
	report.Record(b, row("the whole start", whole, report.RatioAtMost(1)))
}

// spread is the median with the extremes.
func spread(name string, all []time.Duration) report.Figure {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return report.Figure{Name: name, Value: ms(sorted[n/2]), Unit: "ms",
		Detail: fmt.Sprintf("median of %d, %.1f–%.1f", n, ms(sorted[0]), ms(sorted[n-1])),
		More:   []report.Figure{{Name: "nine of ten within", Value: ms(sorted[(n*9+9)/10-1]), Unit: "ms"}}}
}

// launch runs the command in the node and returns when it began and ended there.
func (c *cluster) launch(b *testing.B, node string, of command) launched {
	b.Helper()
	spec, err := json.Marshal(of)
	require.NoError(b, err)
	var out, complaint strings.Builder
	err = c.Run(b.Context(), node, lab.Command{
		Args: []string{stopwatchPath}, Env: []string{launchEnv + "=" + string(spec)}, Stdout: &out, Stderr: &complaint,
	})
	require.NoError(b, err, complaint.String())
	var l launched
	require.NoError(b, json.Unmarshal([]byte(out.String()), &l))
	return l
}

// asking is a client that asks for echoes.
type asking struct {
	stop io.Closer
	out  *bufio.Reader
	done chan error
}

func (c *cluster) ask(b *testing.B, node string, e echoes) *asking {
	b.Helper()
	spec, err := json.Marshal(e)
	require.NoError(b, err)
	stdin, stop := io.Pipe()
	stdout, out := io.Pipe()
	a := &asking{stop: stop, out: bufio.NewReader(stdout), done: make(chan error, 1)}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	go func() {
		defer cancel()
		err := c.Run(ctx, node, lab.Command{Args: []string{stopwatchPath}, Env: []string{echoEnv + "=" + string(spec)}, Stdin: stdin, Stdout: out})
		_ = out.CloseWithError(err)
		a.done <- err
	}()
	_, err = a.out.ReadString('\n')
	require.NoError(b, err)
	return a
}

// firstSince waits for answers, and returns how long after that moment the first one came.
func (a *asking) firstSince(b *testing.B, began int64) time.Duration {
	b.Helper()
	time.Sleep(100 * time.Millisecond) // in which more answers come than the one that is wanted
	require.NoError(b, a.stop.Close())
	var answers []int64
	require.NoError(b, json.NewDecoder(a.out).Decode(&answers))
	require.NoError(b, <-a.done)
	at := slices.IndexFunc(answers, func(t int64) bool { return t > began })
	require.GreaterOrEqual(b, at, 0, "no answer after the take-over, %d before", len(answers))
	return time.Duration(answers[at] - began)
}
