package digitalocean_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	"github.com/hawser-ha/hawser/internal/fault"
)

func getJSON(t *testing.T, url string, out any) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(out))
}

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// scripted is a provider with an API and a metadata service that answer as the test says.
func scripted(t *testing.T, api, metadata http.HandlerFunc) *digitalocean.Provider {
	if api == nil {
		api = func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("the API is asked %s %s", r.Method, r.URL)
		}
	}
	if metadata == nil {
		metadata = http.NotFound
	}
	a, m := httptest.NewServer(api), httptest.NewServer(metadata)
	t.Cleanup(a.Close)
	t.Cleanup(m.Close)
	return digitalocean.New(digitalocean.Config{
		API: a.URL, Metadata: m.URL, Token: func() (string, error) { return token, nil },
	}).Hurry(300 * time.Millisecond)
}

func TestWhatIsSent(t *testing.T) {
	var seen []string
	p := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "Bearer "+token, r.Header.Get("Authorization"))
		require.Contains(t, r.UserAgent(), "hawser-floatip")
		seen = append(seen, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		if len(seen) < 3 && r.Method == http.MethodGet {
			fmt.Fprint(
				w, `{"reserved_ip":{"ip":"203.0.113.10","droplet":{"id":3},"region":{"slug":"nyc3"},"locked":false}}`)
			return
		}
		if r.Method == http.MethodPost {
			var body map[string]any
			require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
			require.Equal(t, map[string]any{"type": "assign", "droplet_id": 12.0}, body)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"action":{"id":77,"status":"in-progress"}}`)
			return
		}
		fmt.Fprint(w, `{"reserved_ip":{"ip":"203.0.113.10","droplet":{"id":12},"region":{"slug":"nyc3"},"locked":false}}`)
	}, nil)
	require.NoError(t, p.Assign(within(t, 5*time.Second), ip4, "12"))
	require.Equal(t, []string{
		"GET /v2/reserved_ips/203.0.113.10", "POST /v2/reserved_ips/203.0.113.10/actions",
		"GET /v2/reserved_ips/203.0.113.10",
	}, seen)
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		api    http.HandlerFunc
		reason string
	}{
		"a proxy's page": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>Please log in</html>")
		},
			"answers something that is not DigitalOcean's JSON"},
		"a firewall's page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<html>Attention Required!</html>")
		}, "answers 403 with a page that is not DigitalOcean's JSON"},
		"nothing": {func(http.ResponseWriter, *http.Request) {},
			"answers something that is not DigitalOcean's JSON"},
		"another API": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"ok"}`)
		},
			"the answer is not about a reserved address: is api_url the origin of DigitalOcean's " +
				"API?"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
			"redirects to another place, where the token must not be sent: correct api_url"},
		"the token quoted": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "bad header "+r.Header.Get("Authorization"), http.StatusBadRequest)
		}, `400 "bad header Bearer ********`},
	} {
		t.Run(name, func(t *testing.T) {
			p := scripted(t, test.api, nil)
			_, err := p.Holder(within(t, 300*time.Millisecond), ip4)
			require.ErrorContains(t, err, "cannot find out who holds 203.0.113.10: ")
			require.ErrorContains(t, err, test.reason)
			require.Equal(t, fault.Unknown, fault.Of(err))
			require.NotContains(t, err.Error(), token)
		})
	}
}

func TestUnreachable(t *testing.T) {
	for origin, reason := range map[string]string{
		"http://127.0.0.1:1":      "http://127.0.0.1:1 cannot be reached: ",
		"https://no-such.invalid": "name resolution",
	} {
		p := digitalocean.New(digitalocean.Config{
			API: origin, Metadata: "http://127.0.0.1:1", Token: func() (string, error) {
				return token, nil
			},
		}).Hurry(2 * time.Second)
		_, err := p.Holder(within(t, 400*time.Millisecond), ip4)
		if origin == "http://127.0.0.1:1" || strings.Contains(fmt.Sprint(err), "not found") {
			require.ErrorContains(t, err, reason)
		}
		require.Equal(t, fault.Unknown, fault.Of(err))
	}
}

// TestTokenInClearText: the token leaves this machine by TLS or not at all.
func TestTokenInClearText(t *testing.T) {
	for origin, safe := range map[string]bool{
		"http://192.0.2.1": false, "http://api.digitalocean.com:8080": false,
		"http://127.0.0.1.example.com": false, "http://localhost.example.com": false,
		"http://[2001:db8::1]": false, "https://192.0.2.1:1": true, "http://127.0.0.2:1": true,
		"http://[::1]:1": true, "http://localhost:1": true,
	} {
		read := 0
		p := digitalocean.New(digitalocean.Config{
			API: origin, Metadata: "http://127.0.0.1:1",
			Token: func() (string, error) {
				read++
				return token, nil
			},
		})
		err := p.Check(t.Context(), ip4)
		require.Equal(t, safe, err == nil, "%s: %v", origin, err)
		if safe {
			continue
		}
		_, err = p.Holder(t.Context(), ip4)
		require.ErrorContains(t, err, "the token is not sent to "+origin+", where it would go in "+
			"clear text")
		require.Equal(t, fault.Denied, fault.Of(err))
		require.Zero(t, read)
	}
}

func TestTokenError(t *testing.T) {
	p := digitalocean.New(digitalocean.Config{
		API: "http://127.0.0.1:1", Metadata: "http://127.0.0.1:1",
		Token: func() (string, error) {
			return "", fault.Errorf(fault.NotInstalled, "token file /x is missing")
		},
	})
	for _, err := range []error{p.Assign(t.Context(), ip4, "1"), p.Check(t.Context(), ip4)} {
		require.ErrorContains(t, err, "token file /x is missing")
		require.Equal(t, fault.NotInstalled, fault.Of(err))
	}
}

// Only ratelimit-reset reports the hourly limit.
func TestHourlyLimit(t *testing.T) {
	asked := 0
	p := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Ratelimit-Reset", strconv.FormatInt(time.Now().Add(10*time.Minute).Unix(),
			10))
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"id":"too_many_requests","message":"API Rate limit exceeded."}`)
	}, nil)
	_, err := p.Holder(within(t, 5*time.Second), ip4)
	require.ErrorContains(t, err, "the API refuses further requests with this token, for another ")
	require.ErrorContains(t, err, "give the cluster a token of its own")
	require.Equal(t, fault.Throttled, fault.Of(err))
	require.Equal(t, 1, asked)
}

func metadata(keys map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, ok := keys[strings.TrimPrefix(r.URL.Path, "/metadata/v1/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, text)
	}
}

func TestHereInOlderWords(t *testing.T) {
	for name, test := range map[string]struct {
		keys   map[string]string
		ip     netip.Addr
		want   bool
		reason string
	}{
		"floating_ip": {keys: map[string]string{"floating_ip/ipv4/active": "true",
			"floating_ip/ipv4/ip_address": "203.0.113.10"}, ip: ip4, want: true},
		"floating_ip, none": {keys: map[string]string{"floating_ip/ipv4/active": "false"}, ip: ip4},
		"neither": {keys: map[string]string{}, ip: ip4,
			reason: "the metadata service cannot say which reserved address is here"},
		"no word of IPv6": {keys: map[string]string{"reserved_ip/ipv4/active": "false"}, ip: ip6,
			reason: "cannot say which reserved address"},
		"IPv6": {keys: map[string]string{"reserved_ip/ipv6/active": "true",
			"reserved_ip/ipv6/ip_address": "2001:0DB8:ff:0::10"},
			ip: ip6, want: true},
		"an odd word": {keys: map[string]string{"reserved_ip/ipv4/active": "maybe"}, ip: ip4,
			reason: `active is "maybe", and not true or false`},
		"an odd address": {keys: map[string]string{"reserved_ip/ipv4/active": "true",
			"reserved_ip/ipv4/ip_address": "203.0.113.10x"}, ip: ip4,
			reason: "which is not an address"},
		"the address missing": {keys: map[string]string{"reserved_ip/ipv4/active": "true"}, ip: ip4,
			reason: "no such key"},
	} {
		t.Run(name, func(t *testing.T) {
			here, err := scripted(t, nil, metadata(test.keys)).Here(t.Context(), test.ip)
			require.Equal(t, test.want, here)
			if test.reason == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.reason)
		})
	}
}

func TestSelfFromFirmware(t *testing.T) {
	p := scripted(t, nil, metadata(map[string]string{"id": "not a number"}))
	dir := t.TempDir()
	p.Firmware(dir)
	_, err := p.Self(t.Context())
	require.ErrorContains(
		t, err, `cannot find out which droplet this is: "not a number" is not a droplet's id`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sys_vendor"), []byte("DigitalOcean\n"),
		0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "product_serial"), []byte("4711\n"), 0o600))
	id, err := p.Self(t.Context())
	require.NoError(t, err)
	require.Equal(t, "4711", id)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sys_vendor"), []byte("QEMU\n"), 0o600))
	_, err = p.Self(t.Context())
	require.Error(t, err)
}

// Nothing in this machine's environment comes between the agent and the metadata service.
func TestMetadataGoesThroughNoProxy(t *testing.T) {
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	here, err := scripted(t, nil, metadata(
		map[string]string{"reserved_ip/ipv4/active": "false"})).Here(t.Context(), ip4)
	require.NoError(t, err)
	require.False(t, here)
}

func TestMetadataGivesUpWithItsContext(t *testing.T) {
	p := scripted(t, nil, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := p.Here(ctx, ip4)
	require.Error(t, err)
	require.Less(t, time.Since(began), time.Second)
}

func FuzzMetadataAnswer(f *testing.F) {
	f.Add("true", "203.0.113.10")
	f.Add("false", "")
	f.Add("TRUE\x00", "::ffff:203.0.113.10")
	f.Fuzz(func(t *testing.T, active, address string) {
		p := scripted(t, nil, metadata(map[string]string{"reserved_ip/ipv4/active": active,
			"reserved_ip/ipv4/ip_address": address}))
		here, err := p.Here(t.Context(), ip4)
		if here {
			require.NoError(t, err)
			addr, err := netip.ParseAddr(strings.TrimSpace(address))
			require.NoError(t, err)
			require.Equal(t, ip4, addr.Unmap())
		}
	})
}

// TestAnswerThatBreaksOff: a connection that is cut in the middle of an answer is a passing fault.
func TestAnswerThatBreaksOff(t *testing.T) {
	asked := 0
	p := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		text := `{"reserved_ip":{"ip":"203.0.113.10","droplet":{"id":7}}}`
		if asked++; asked == 1 {
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			text = text[:20]
		}
		fmt.Fprint(w, text)
	}, nil)
	holder, err := p.Holder(t.Context(), netip.MustParseAddr("203.0.113.10"))
	require.NoError(t, err)
	require.Equal(t, "7", holder)
}

// TestAnswerWithoutEnd: what answers in place of the API cannot fill this node's memory.
func TestAnswerWithoutEnd(t *testing.T) {
	for name, status := range map[string]int{"good": http.StatusOK, "bad": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			p := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				line := []byte("\"" + strings.Repeat("x", 1<<16))
				sent.Store(0) // of each attempt
				for sent.Load() < 1<<26 {
					n, err := w.Write(line)
					if sent.Add(int64(n)); err != nil {
						return
					}
					line = line[1:]
					line = append(line, 'x')
				}
			}, nil).Hurry(5 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := p.Holder(ctx, netip.MustParseAddr("203.0.113.10"))
			require.Error(t, err)
			require.Less(t, sent.Load(), int64(1<<25))
		})
	}
}

// TestTokenAtTheCut: a long message is cut, and a token that lies across the cut does not come
// through in part.
func TestTokenAtTheCut(t *testing.T) {
	p := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, strings.Repeat("x", 190)+token)
	}, nil)
	_, err := p.Holder(t.Context(), netip.MustParseAddr("203.0.113.10"))
	require.Error(t, err)
	require.NotContains(t, err.Error(), token[:8])
}
