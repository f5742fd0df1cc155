package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
)

var sum = strings.Repeat("0123456789abcdef", 4)

// Attributes have the resource's id, never the number of an instance of a clone.
func TestNamesOfAttributes(t *testing.T) {
	for _, instance := range []string{"lb", "lb:0", "lb:12"} {
		r := contract.ResourceOf(instance)
		require.Equal(t, "lb", r.String(), instance)
		require.Equal(t, "hawser-lb", contract.ServersAttribute(r), instance)
		require.Equal(t, "hawser-lb-crash", contract.CrashAttribute(r), instance)
		require.Equal(t, "hawser-lb-config", contract.LoadedAttribute(r), instance)
		require.Equal(t, "hawser-lb-push", contract.PushAttribute(r), instance)
		require.Equal(t, "hawser-push-lb", contract.PushSet(r), instance)
	}
}

// No two resources have an attribute of the same name, whatever they are called.
func TestNamesOfAttributesDoNotCollide(t *testing.T) {
	whose := map[string]string{contract.DoctorAttribute: "the node"}
	for _, id := range []string{"web", "web-config", "web-config-config", "web-crash", "web-push",
		"web-failing", "web-handed-over", "web-check-a", "web-doubt-a", "web-well-60", "node", "node-doctor"} {
		r := contract.ResourceOf(id)
		for _, name := range []string{contract.ServersAttribute(r), contract.CrashAttribute(r),
			contract.LoadedAttribute(r), contract.PushAttribute(r), contract.HandedOverAttribute(r),
			contract.FailingAttribute(r), contract.CheckAttribute(r, "a"),
			contract.DoubtAttribute(r, "a"), contract.WellAttribute(r, time.Minute)} {
			require.Empty(t, whose[name], "%s is %s's too", name, id)
			whose[name] = id
		}
	}
}

func TestServers(t *testing.T) {
	for _, s := range []contract.Servers{{}, {Up: 3, Down: 1}, {Up: 1, Down: 2, Draining: 3}} {
		got, ok := contract.ParseServers(s.String())
		require.True(t, ok)
		require.Equal(t, s, got)
	}
	got, ok := contract.ParseServers("later=9,up=2,draining=many")
	require.True(t, ok)
	require.Equal(t, contract.Servers{Up: 2}, got)
	for _, none := range []string{"", "up", "up=x", "later=1"} {
		_, ok := contract.ParseServers(none)
		require.False(t, ok, none)
	}
}

func TestCrash(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 12, 7, 0, time.UTC)
	c := contract.Crash{At: at, Took: 60 * time.Millisecond, Count: 2}
	require.Equal(t, "at=2026-11-21T03:12:07Z,took=0.06,count=2", c.String())
	for _, c := range []contract.Crash{c, {At: at, Took: 12340 * time.Millisecond, Count: 20}} {
		got, ok := contract.ParseCrash(c.String())
		require.True(t, ok)
		require.Equal(t, c, got)
	}
	got, ok := contract.ParseCrash("at=2026-11-21T03:12:07Z,later=x,took=1,count=1")
	require.True(t, ok)
	require.Equal(t, time.Second, got.Took)
	for _, none := range []string{"", "at=yesterday,took=1,count=1", "took=1,count=1",
		"at=2026-11-21T03:12:07Z,took=1,count=x"} {
		_, ok := contract.ParseCrash(none)
		require.False(t, ok, none)
	}
}

func TestHandedOver(t *testing.T) {
	h := contract.HandedOver{At: time.Date(2026, 11, 21, 3, 12, 7, 0, time.UTC), Why: "a, why=b"}
	require.Equal(t, "at=2026-11-21T03:12:07Z,why=a, why=b", h.String())
	got, ok := contract.ParseHandedOver(h.String())
	require.True(t, ok)
	require.Equal(t, h, got)
	h.Why = "two\nlines of \x1b[2Jcaf\u00e9"
	require.Equal(t, "at=2026-11-21T03:12:07Z,why=two lines of ?[2Jcaf?", h.String())
	for _, none := range []string{"", "at=now,why=x", "at=2026-11-21T03:12:07Z"} {
		_, ok := contract.ParseHandedOver(none)
		require.False(t, ok, none)
	}
}

func TestLoaded(t *testing.T) {
	worker := time.Unix(1795236669, 0)
	for _, c := range []struct {
		loaded contract.Loaded
		text   string
	}{
		{contract.Loaded{}, ""},
		{contract.Loaded{Serves: "3f9a12bc45de", Generation: "g@3f9a12bc45de", Worker: worker},
			"serves=3f9a12bc45de,generation=g@3f9a12bc45de,worker=1795236669"},
		{
			contract.Loaded{Serves: "a", Disk: contract.Missing, Generation: "b", Asked: "c",
				Worker: worker, OldWorkers: 2, Conns: 37, Pending: "x=1, pending=2"},
			"serves=a,disk=missing,generation=b,asked=c,worker=1795236669,old=2,conns=37,pending=x=1, pending=2",
		},
		{
			contract.Loaded{Serves: "a", OldWorkers: 1, Conns: 3, Cut: worker, Previous: true, Pending: "x"},
			"serves=a,old=1,conns=3,cut=1795236669,previous=1,pending=x",
		},
		{contract.Loaded{Pending: "nothing is known"}, "pending=nothing is known"},
	} {
		require.Equal(t, c.text, c.loaded.String())
		require.Equal(t, c.loaded, contract.ParseLoaded(c.text))
	}
	require.Equal(t, "generation=a_b_c,pending=one two ???",
		contract.Loaded{Generation: "a,b c", Pending: "one\ntwo \x1b\u00e9\x00"}.String())
	require.Len(t, contract.Loaded{Pending: strings.Repeat("x", 999)}.String(), len("pending=")+160)
	require.Equal(t, contract.Loaded{Serves: "a"},
		contract.ParseLoaded("later=1,serves=a,worker=soon,old=many"))
}

func TestPushOrder(t *testing.T) {
	for _, o := range []contract.PushOrder{{}, contract.NewPushOrder(contract.PushCheck, sum),
		contract.NewPushOrder(contract.PushTake, sum)} {
		got, err := contract.ParsePushOrder(o.String())
		require.NoError(t, err)
		require.Equal(t, o, got)
	}
	for _, bad := range []string{"check", "check:", "take:12", "give:" + sum, ":" + sum, "check:" +
		sum + "0", "check:" + strings.Repeat("g", 64)} {
		_, err := contract.ParsePushOrder(bad)
		require.Error(t, err, bad)
	}
}

func TestPushAnswer(t *testing.T) {
	order := contract.NewPushOrder(contract.PushCheck, sum)
	for _, a := range []contract.PushAnswer{{Order: order},
		{Order: order, Refused: "unknown keyword 'bogus', line 3"}} {
		got, ok := contract.ParsePushAnswer(a.String())
		require.True(t, ok)
		require.Equal(t, a, got)
	}
	require.Equal(t, "check:"+sum+" ok", contract.PushAnswer{Order: order}.String())
	require.Equal(t, "check:"+sum+" refused: one two", contract.PushAnswer{Order: order,
		Refused: "one\ntwo"}.String())
	later, ok := contract.ParsePushAnswer("check:" + sum + " perhaps")
	require.True(t, ok)
	require.Equal(t, "perhaps", later.Refused)
	for _, none := range []string{"", " ok", "check:" + sum, "check:" + sum + " ", "check:12 ok"} {
		_, ok := contract.ParsePushAnswer(none)
		require.False(t, ok, none)
	}
}

func TestPack(t *testing.T) {
	text := []byte(strings.Repeat("server app 192.0.2.1:80\n", 1000))
	packed, sum := contract.PackConfig(text)
	require.Less(t, len(packed), len(text)/10)
	got, err := contract.UnpackConfig(packed, sum)
	require.NoError(t, err)
	require.Equal(t, text, got)
	_, err = contract.UnpackConfig(packed, contract.Sum([]byte("another")))
	require.ErrorContains(t, err, "not the one")
	bomb, sum := contract.PackConfig(make([]byte, 16<<20+1))
	_, err = contract.UnpackConfig(bomb, sum)
	require.ErrorContains(t, err, "larger than 16 MiB")
	_, err = contract.Unpack(packed, len(text)-1)
	require.ErrorContains(t, err, "larger than")
	for _, bad := range []string{"", "?", "aGVsbG8="} {
		_, err := contract.Unpack(bad, 100)
		require.Error(t, err, bad)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(contract.Pack([]byte("global\n")))
	f.Fuzz(func(t *testing.T, packed string) {
		if text, err := contract.Unpack(packed, 1<<16); err == nil {
			again, err := contract.Unpack(contract.Pack(text), 1<<16)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again))
		}
	})
}

func FuzzParseLoaded(f *testing.F) {
	f.Add("serves=a,disk=missing,generation=b,asked=c,worker=1795236669,old=2,conns=37,pending=x=1, pending=2")
	f.Fuzz(func(_ *testing.T, text string) { _ = contract.ParseLoaded(text) })
}

func TestGeneration(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 12, 7, 0, time.UTC)
	require.Equal(t, "20261121T031207Z-0000002a", contract.NewGeneration(now, 42, ""))
	g := contract.NewGeneration(now, 42, "3f9a12bc45de")
	require.Equal(t, "20261121T031207Z-0000002a@3f9a12bc45de", g)
	require.Equal(t, "3f9a12bc45de", contract.Demanded(g))
	for _, none := range []string{"", "g", "g@", "g@3f9a12bc45d", "g@3f9a12bc45dex",
		"g@3F9A12BC45DE", "@3f9a12bc45de@x"} {
		require.Empty(t, contract.Demanded(none), none)
	}
}

func TestConfigFiles(t *testing.T) {
	require.Equal(t, []string{"/a"}, contract.ConfigFiles("/a", nil))
	require.Equal(t, []string{"/a", "/b", "/c", "/d"}, contract.ConfigFiles("/a",
		[]string{"-m", "512", "-f", "/b", "--", "/c", "/d"}))
	require.Equal(t, []string{"/a"}, contract.ConfigFiles("/a", []string{"-f"}))
	require.Equal(t, []string{"/a", "/d/b", "/c"},
		contract.ConfigFiles("/a", []string{"-f", "b", "-C", "/d", "-f", "/c"}), "wherever -C is")
	require.Equal(t, []string{"/a", "/b", "/c"}, contract.ConfigFiles("/a", []string{"-f", "b", "--", "c"}),
		"HAProxy is run in the root directory")
	require.Equal(t, []string{"/a", "/b"}, contract.ConfigFiles("/a", []string{"-fx", "/b"}))
}

func TestFiles(t *testing.T) {
	f := contract.FilesOf(contract.RunDir, "haproxy:0")
	require.Equal(t, "/run/hawser/haproxy:0/stats.sock", f.StatsSocket())
	require.Equal(t, "/run/hawser/.haproxy:0.keeper", f.KeeperLock())
	require.Equal(t, "haproxy:0", f.Instance())
	require.Equal(t, contract.RunDir, f.RunDir())
}

func FuzzUnpackConfig(f *testing.F) {
	packed, sum := contract.PackConfig([]byte("global\n"))
	f.Add(packed, sum)
	f.Add("H4sI", sum)
	f.Fuzz(func(t *testing.T, packed, sum string) {
		if text, err := contract.UnpackConfig(packed, sum); err == nil &&
			contract.Sum(text) != sum {
			t.Fatal("another configuration than was asked for")
		}
	})
}

// What a program says cannot pass for another check.
func TestFailingChecks(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, why := range []string{"| | web since=2031-01-01T00:00:00Z it is well", "ends in |", " | ", "a |\nweb since=x"} {
		all := contract.ParseFailing(contract.FormatFailing([]contract.FailingCheck{{Name: "own", Since: at, Why: why}, {Name: "web", Since: at, Why: "x"}}))
		require.Len(t, all, 2, why)
		require.Equal(t, contract.FailingCheck{Name: "web", Since: at, Why: "x"}, all[1])
	}
}
