// Package digitalocean is what hawser's agents for DigitalOcean have in common: a client of its API
// that ends each request in time and never shows the token, what the API's errors mean, and how
// requests follow each other. What needs no API is in internal/metadata.
//
// It imports internal/fault and param. Open client.go first.
package digitalocean

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/param"
)

// Time-outs of one request. godo sets none at all, and its own retrying client waits up to 30 s
// four times, which is longer than most operations last.
const (
	connectTimeout = 3 * time.Second
	requestTimeout = 5 * time.Second
)

// Config is what a Client needs.
type Config struct {
	// Origin is the API's scheme://host:port, to which /v2 is added.
	Origin string
	// Agent is the client's name for itself in requests.
	Agent string
	// Token returns the token. It is called when the first request needs it.
	Token func() (string, error)
	// Timeout is how long one request may take; 5 s if zero.
	Timeout time.Duration
	// Words are the agent's own words in error messages.
	Words Words
}

// Words complete the texts of errors that depend on what the request is about.
type Words struct {
	Scopes   string // the scopes that the token must have
	NotFound string // what a 404 says; %s is the API's answer
	Busy     string // whose event is still under way
}

// Client is a client of the API for one goroutine at a time. It never retries.
type Client struct {
	// HTTP carries the requests.
	HTTP *http.Client

	c      Config
	godo   *godo.Client // made when the first request needs it: a monitor may make none
	secret string
}

// New returns a Client. It makes no request and does not read the token yet.
func New(c Config) *Client {
	return &Client{c: c, HTTP: &http.Client{
		Timeout: cmp.Or(c.Timeout, requestTimeout),
		Transport: bounded{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			// HTTP/1.1, which closes a connection together with the request that got no answer on
			// it. HTTP/2 keeps it for the next requests: a connection that died silently would be
			// an outage for as long as the agent runs.
			Protocols:       http1(),
			MaxIdleConns:    1,
			IdleConnTimeout: 30 * time.Second,
		}},
		// A token is for the origin that the operator named and for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

func http1() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	return p
}

// answerLimit is far more than any answer has, in bytes.
const answerLimit = 1 << 20

// bounded ends each answer at answerLimit, since godo reads them whole: a wrong server may send
// data for ever.
type bounded struct{ http.RoundTripper }

// RoundTrip returns the transport's.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, answerLimit)
	}
	return response, err
}

// Godo returns godo's client of the API. It is an error if the token cannot be read, or would be sent
// in clear text: whoever may write an origin into the cluster's configuration is not for that reason
// one who may have the token, and whoever listens on the way is not either.
func (c *Client) Godo() (*godo.Client, error) {
	if c.godo != nil {
		return c.godo, nil
	}
	if !param.SafeOrigin(c.c.Origin) {
		return nil, fault.Errorf(fault.Denied, "the token is not sent to %s, where it would go in "+
			"clear text: give api_url as https:// (http:// is for loopback addresses)", c.c.Origin)
	}
	token, err := c.c.Token()
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.c.Origin + "/")
	if err != nil {
		return nil, fmt.Errorf("the API's origin %q: %w", c.c.Origin, err)
	}
	client := godo.NewClient(c.HTTP)
	client.BaseURL = base
	client.UserAgent = c.c.Agent + " " + client.UserAgent
	if err := godo.SetRequestHeaders(map[string]string{"Authorization": "Bearer " +
		token})(client); err != nil {
		return nil, err
	}
	c.godo, c.secret = client, token
	return client, nil
}
