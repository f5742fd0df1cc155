package config

// Example is a hawser.yaml for --help and the manual page.
const Example = `# hawser.yaml
fencing:                          # what cuts off a node that is lost; or: sbd, on, off (see the keys)
  droplet:
    token_file: /etc/hawser/fence-token
    droplets: {lb-1: 1001, lb-2: 1002, lb-3: 1003}
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token`

// Keys documents the keys of hawser.yaml, one or more lines each.
const Keys = `fencing             off: a cluster without fencing is accepted. on: the cluster's own fencing devices are demanded,
                    and stonith-enabled=true. sbd: the nodes' watchdogs, as below. Without the key a cluster is
                    refused if Pacemaker would start nothing
  sbd               SBD without a disk: three nodes, or two and a quorum device; sbd.service on each
    watchdog_timeout
                    SBD_WATCHDOG_TIMEOUT of the nodes (5s); a lost node counts as down after twice that
  droplet           the device fence-droplet, which switches DigitalOcean's droplets off and on
    token_file      a file with an API token that may do so, mode 0600, on every node
    droplets        which droplet each node is, node: id or name (the droplet with the node's name)
    tag             only droplets with this tag
    delay           two nodes: the head start of the one that holds the address (15s; 0: none)
    monitor         how often the cloud is asked whether the token serves (5min)
    api_url         another API, scheme://host:port
    metadata_url    another metadata service, scheme://host:port
haproxy
  config            HAProxy's configuration, a file or a directory (/etc/haproxy/haproxy.cfg)
  binary            the program (/usr/sbin/haproxy)
  extra             further arguments, quoted as for a shell
  monitor           how often HAProxy is looked at (15s)
  check
    url             asked for through the balancer; 2xx and 3xx are healthy
    timeout         how long the answer may take
    every           how often it is asked for (as often as monitor)
  min_servers       fewer servers up in any backend is a failure. If check or min_servers fails on a node,
                    HAProxy leaves it for 10 s, and so does the address
  stop_grace        how long open connections may finish when HAProxy is stopped
  keeper            on or off: a crashed HAProxy is brought back at once, its listening sockets kept (on)
  max_crashes       with that many crashes within crash_window the cluster recovers HAProxy (3)
  crash_window      (1min)
  unit              the systemd service whose settings HAProxy runs with, or none (haproxy.service)
  anchor_ip         HAWSER_ANCHOR_IP and HAWSER_PRIVATE_IP in HAProxy's environment where no
  private_ip        metadata service gives them
  metadata_url      another metadata service, scheme://host:port
floating_ips        a list
  name              the resource's id in the cluster, such as FloatIP
  ip                the address, IPv4 or IPv6
  provider          digitalocean (the default) or lan
  token_file        digitalocean: a file with the API token, mode 0600, on every node
  nic               lan: the interface (derived from the routes)
  cidr_netmask      lan: the length of the prefix (derived from the routes)
  monitor           how often the address is looked at (15s)
  api_url           digitalocean: another API, scheme://host:port
  metadata_url      digitalocean: another metadata service, scheme://host:port`
