package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Admin serves control of the simulation: faults, the time that actions take, moves without an API
// request. It is meant for a Unix socket, where a Client finds it, and never for the network of the
// droplets.
func (c *Cloud) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.State()) // the client has gone: nobody to report to
	})
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		err := json.NewDecoder(r.Body).Decode(&f)
		if err == nil {
			err = f.Validate()
		}
		if err == nil {
			c.SetFault(f)
		}
		adminAnswer(w, err)
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, r *http.Request) {
		var kinds []Kind
		for _, k := range r.URL.Query()["kind"] {
			kinds = append(kinds, Kind(k))
		}
		c.ClearFaults(kinds...)
		adminAnswer(w, nil)
	})
	mux.HandleFunc("PUT /action-time", func(w http.ResponseWriter, r *http.Request) {
		var d time.Duration
		err := json.NewDecoder(r.Body).Decode(&d)
		if err == nil {
			c.SetActionTime(d)
		}
		adminAnswer(w, err)
	})
	mux.HandleFunc("POST /move", func(w http.ResponseWriter, r *http.Request) {
		var m adminMove
		err := json.NewDecoder(r.Body).Decode(&m)
		if err == nil {
			err = c.Move(m.IP, m.Droplet)
		}
		adminAnswer(w, err)
	})
	return mux
}

type adminMove struct {
	IP      netip.Addr
	Droplet int
}

func adminAnswer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Client speaks to the Admin handler of a cloud in another process.
type Client struct {
	// Socket is the path of the Unix socket on which Admin is served.
	Socket string
}

// State returns what the cloud holds.
func (c Client) State(ctx context.Context) (State, error) {
	var s State
	return s, c.call(ctx, http.MethodGet, "/state", nil, &s)
}

// SetFault adds a fault to those in force.
func (c Client) SetFault(ctx context.Context, f Fault) error {
	return c.call(ctx, http.MethodPost, "/faults", f, nil)
}

// ClearFaults removes every fault of these kinds, or all if none is named.
func (c Client) ClearFaults(ctx context.Context, kinds ...Kind) error {
	q := url.Values{}
	for _, k := range kinds {
		q.Add("kind", string(k))
	}
	return c.call(ctx, http.MethodDelete, "/faults?"+q.Encode(), nil, nil)
}

// SetActionTime changes how long actions are in progress.
func (c Client) SetActionTime(ctx context.Context, d time.Duration) error {
	return c.call(ctx, http.MethodPut, "/action-time", d, nil)
}

// Move gives the address to the droplet (0: to nobody) at once, as an operator does in the control
// panel.
func (c Client) Move(ctx context.Context, ip netip.Addr, droplet int) error {
	return c.call(ctx, http.MethodPost, "/move", adminMove{ip, droplet}, nil)
}

func (c Client) call(ctx context.Context, method, path string, in, out any) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cloud: %s %s at %s: %w", method, path, c.Socket, err)
		}
	}()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://cloud"+path, body)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", c.Socket)
		},
	}
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		// whatever was received is shown
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
