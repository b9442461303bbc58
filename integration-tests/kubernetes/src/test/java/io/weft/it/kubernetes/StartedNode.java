package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.weft.it.harness.Build;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A whole cluster of this machine with one node: beside {@link StartedCluster} its controllers and scheduler, a kubelet, containerd,
 * kube-proxy, CoreDNS, and pods with networks of their own behind a bridge, on whose address the kubelet listens for whoever asks. The programs are
 * in the same folder; {@code runc}, {@code ip}, {@code iptables} and {@code gcc} are on the path. It needs root, and the machine for
 * itself: kubelet and kube-proxy set what they need of it. Mounts, bridge, rules and control groups are taken away afterwards.
 */
final class StartedNode implements RealCluster {
    static final String NAME = "weft-it-node";

    private static final String[] PROGRAMS = {
        "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns", "bridge", "host-local", "loopback"};
    private static final String[] RUNTIME = {"containerd", "containerd-shim-runc-v2", "ctr"};
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String BRIDGE = "weft-it0";
    private static final String ADDRESS = "10.244.77.1";
    private static final String NETWORK = "10.244.77.0/24";
    private static final String PAUSE_IMAGE = "weft-it/pause:it";
    private static final String PAUSE = """
            #include <signal.h>
            #include <unistd.h>
            static void end(int signal) { _exit(signal - signal); }
            int main(void) { signal(SIGTERM, end); for (;;) pause(); }
            """;

    private final Path programs;
    private final Path runtime;
    private final Path folder;
    private final StartedCluster cluster;
    private final Deque<Process> controllers = new ArrayDeque<>();
    private final Deque<Process> node = new ArrayDeque<>();
    private Process containerd;

    private StartedNode(Path programs, Path runtime, Path folder, StartedCluster cluster) {
        this.programs = programs;
        this.runtime = runtime;
        this.folder = folder;
        this.cluster = cluster;
    }

    /** Whether there is a kubelet to start; {@link #start} says what else is missing. */
    static boolean isAtHand() {
        String assets = System.getenv("KUBEBUILDER_ASSETS");
        return assets != null && !assets.isEmpty() && Files.isExecutable(Path.of(assets, "kubelet"));
    }

    /** The test is skipped where it cannot be had. */
    static StartedNode start(Testbed testbed) throws Exception {
        return start(testbed, StartedCluster.programs(RUNTIME));
    }

    /** @param runtime folder of containerd, its shim and its client */
    static StartedNode start(Testbed testbed, Path runtime) throws Exception {
        Path programs = StartedCluster.programs(PROGRAMS);
        assumeTrue("root".equals(System.getProperty("user.name")), "no node: a kubelet needs root");
        for (String program : List.of("runc", "ip", "iptables", "gcc")) {
            assumeTrue(isOnPath(program), "no node: there is no " + program + " on the path");
        }
        Path folder = testbed.temporaryFolder();
        testbed.closeAfterwards(StartedNode::takeNetworkAway);
        makeNetwork();
        StartedCluster cluster = StartedCluster.start(testbed, programs, ADDRESS);
        StartedNode node = testbed.closeAfterwards(new StartedNode(programs, runtime, folder, cluster));
        node.begin();
        return node;
    }

    private static boolean isOnPath(String program) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(each -> Files.isExecutable(Path.of(each, program)));
    }

    private static void makeNetwork() throws IOException, InterruptedException {
        command("ip", "link", "add", BRIDGE, "type", "bridge");
        command("ip", "address", "add", ADDRESS + "/24", "dev", BRIDGE);
        command("ip", "link", "set", BRIDGE, "up");
        // A pod that answers another on the same bridge by a Service does so from its own address, unless this is asked of the bridge.
        Files.writeString(Path.of("/sys/class/net", BRIDGE, "bridge/nf_call_iptables"), "1");
        command("iptables", "-I", "FORWARD", "-i", BRIDGE, "-j", "ACCEPT");
        command("iptables", "-I", "FORWARD", "-o", BRIDGE, "-j", "ACCEPT");
    }

    private static void takeNetworkAway() throws IOException, InterruptedException {
        attempt("iptables", "-D", "FORWARD", "-i", BRIDGE, "-j", "ACCEPT");
        attempt("iptables", "-D", "FORWARD", "-o", BRIDGE, "-j", "ACCEPT");
        attempt("ip", "link", "delete", BRIDGE);
    }

    private void begin() throws IOException, InterruptedException {
        Path admin = cluster.kubeconfig();
        controllers.push(StartedCluster.run(programs, "kube-controller-manager", folder, "--kubeconfig=" + admin, "--leader-elect=false", "--secure-port=0",
                "--service-account-private-key-file=" + cluster.accountsKey(), "--root-ca-file=" + cluster.certificate()));
        controllers.push(StartedCluster.run(programs, "kube-scheduler", folder, "--kubeconfig=" + admin, "--leader-elect=false", "--secure-port=0"));
        startContainerd();
        loadPause();
        node.push(StartedCluster.run(programs, "coredns", folder, "-conf", write("Corefile", """
                cluster.local:53 {
                  bind %s
                  errors
                  kubernetes cluster.local {
                    kubeconfig %s
                  }
                }
                """.formatted(ADDRESS, admin))));
        node.push(StartedCluster.run(programs, "kube-proxy", folder, "--kubeconfig=" + admin, "--proxy-mode=iptables", "--hostname-override=" + NAME,
                "--metrics-bind-address=127.0.0.1:" + Port.unused(), "--healthz-bind-address=127.0.0.1:" + Port.unused(), "--nodeport-addresses=primary",
                // It leaves the machine's tables as large as they are.
                "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0"));
        node.push(StartedCluster.run(programs, "kubelet", folder, "--config=" + write("kubelet.yaml", kubeletConfiguration()),
                "--kubeconfig=" + cluster.nodeKubeconfig(), "--root-dir=" + folder.resolve("kubelet"), "--cert-dir=" + folder.resolve("kubelet/pki"),
                "--hostname-override=" + NAME, "--node-ip=" + ADDRESS));
        try {
            await("the node is ready").atMost(PATIENCE).until(() -> runs() && client().nodes().list().getItems().stream().anyMatch(each ->
                    each.getStatus().getConditions().stream().anyMatch(condition ->
                            condition.getType().equals("Ready") && condition.getStatus().equals("True"))));
        } catch (ConditionTimeoutException e) {
            throw new IllegalStateException(said("kubelet"), e);
        }
    }

    private boolean runs() throws IOException {
        for (Process process : node) {
            if (!process.isAlive()) {
                throw new IllegalStateException(process.info().command().orElse("a program of the node") + " has ended: " + said("kubelet") + said("kube-proxy")
                        + said("coredns"));
            }
        }
        return true;
    }

    private String said(String program) throws IOException {
        List<String> lines = Files.readAllLines(folder.resolve(program + ".log"), StandardCharsets.UTF_8);
        return program + ":\n" + String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size())) + "\n";
    }

    private void startContainerd() throws IOException {
        Path socket = socket();
        Files.createDirectories(socket.getParent());
        // In the form that containerd 1.6 reads as well.
        String configuration = write("containerd.toml", """
                version = 2
                root = "%1$s/containerd"
                state = "%1$s/run"
                [grpc]
                  address = "%2$s"
                [ttrpc]
                  address = "%2$s.ttrpc"
                [plugins."io.containerd.grpc.v1.cri"]
                  sandbox_image = "%3$s"
                  restrict_oom_score_adj = true
                  stream_server_address = "127.0.0.1"
                  [plugins."io.containerd.grpc.v1.cri".cni]
                    bin_dir = "%4$s"
                    conf_dir = "%1$s/cni"
                """.formatted(folder, socket, PAUSE_IMAGE, programs));
        Files.createDirectories(folder.resolve("cni"));
        write("cni/weft-it.conflist", """
                {"cniVersion": "1.0.0", "name": "weft-it", "plugins": [{"type": "bridge", "bridge": "%s", "isGateway": true, "hairpinMode": true,
                  "ipam": {"type": "host-local", "dataDir": "%s/addresses", "routes": [{"dst": "0.0.0.0/0"}],
                    "ranges": [[{"subnet": "%s", "rangeStart": "10.244.77.10"}]]}}]}
                """.formatted(BRIDGE, folder, NETWORK));
        containerd = StartedCluster.run(runtime, "containerd", folder, "--config", configuration);
        await("containerd answers").atMost(PATIENCE).until(() -> Files.exists(socket) && attempt(ctr("version")));
    }

    private void loadPause() throws IOException, InterruptedException {
        Path image = Files.createDirectories(folder.resolve("pause"));
        Path source = folder.resolve("pause.c");
        Files.writeString(source, PAUSE);
        command("gcc", "-static", "-Os", "-o", image.resolve("pause").toString(), source.toString());
        Path archive = folder.resolve("pause.tar");
        command(Build.present("weft.it.deploy", "deploy").resolve("bin/image-archive").toString(), PAUSE_IMAGE, archive.toString(),
                "{\"Entrypoint\":[\"/pause\"],\"User\":\"65535:65535\"}", image.toString());
        load(archive);
    }

    private String kubeletConfiguration() throws IOException {
        return """
                apiVersion: kubelet.config.k8s.io/v1beta1
                kind: KubeletConfiguration
                address: %1$s
                healthzPort: 0
                authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
                authorization: {mode: AlwaysAllow}
                cgroupDriver: cgroupfs
                failCgroupV1: false
                failSwapOn: false
                enforceNodeAllocatable: [none]
                makeIPTablesUtilChains: false
                clusterDNS: [%1$s]
                clusterDomain: cluster.local
                resolvConf: %3$s
                containerRuntimeEndpoint: unix://%2$s
                podLogsDir: %4$s/logs
                volumePluginDir: %4$s/plugins
                nodeStatusUpdateFrequency: 2s
                imageGCHighThresholdPercent: 100
                evictionHard: {memory.available: 50Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%, imagefs.inodesFree: 1%%}
                """.formatted(ADDRESS, socket(), write("resolv.conf", "\n"), folder);
    }

    private String write(String file, String text) throws IOException {
        return Files.writeString(folder.resolve(file), text).toString();
    }

    private Path socket() {
        return folder.resolve("run/containerd.sock");
    }

    private String[] ctr(String... arguments) {
        return Stream.concat(Stream.of(runtime.resolve("ctr").toString(), "--address", socket().toString(), "--namespace", "k8s.io"), Arrays.stream(arguments))
                .toArray(String[]::new);
    }

    @Override
    public KubernetesClient client() {
        return cluster.client();
    }

    @Override
    public Path kubeconfig() {
        return cluster.kubeconfig();
    }

    @Override
    public void load(Path archive) throws IOException, InterruptedException {
        command(ctr("images", "import", archive.toString()));
    }

    @Override
    public boolean remains() {
        return false;
    }

    /** What runs it ends before what it needs. */
    @Override
    public void close() throws IOException, InterruptedException {
        controllers.forEach(StartedCluster::kill);
        try {
            client().pods().inAnyNamespace().withGracePeriod(1).delete();
            // By the kubelet, which has then taken their volumes away.
            await().atMost(PATIENCE).until(() -> client().pods().inAnyNamespace().list().getItems().isEmpty());
        } catch (ConditionTimeoutException | KubernetesClientException stuck) {
            System.err.println("pods do not end: " + stuck);
        }
        node.forEach(StartedCluster::kill);
        attempt(programs.resolve("kube-proxy").toString(), "--cleanup");
        // It takes a kubelet to want this still.
        for (String program : List.of("iptables", "ip6tables")) {
            attempt(program, "-D", "INPUT", "-j", "KUBE-FIREWALL");
            attempt(program, "-D", "OUTPUT", "-j", "KUBE-FIREWALL");
            attempt(program, "-F", "KUBE-FIREWALL");
            attempt(program, "-X", "KUBE-FIREWALL");
        }
        for (String task : output(ctr("tasks", "list", "--quiet")).lines().toList()) {
            attempt(ctr("tasks", "delete", "--force", task));
        }
        StartedCluster.kill(containerd);
        try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"))) {
            for (String mount : mounts.map(line -> line.split(" ")[1]).filter(point -> point.startsWith(folder + "/")).sorted(Comparator.reverseOrder()).toList()) {
                attempt("umount", "--lazy", mount);
            }
        }
        try (Stream<Path> groups = Files.walk(Path.of("/sys/fs/cgroup"), 8)) {
            for (Path group : groups.filter(Files::isDirectory).filter(each -> each.toString().contains("/kubepods")).sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(group);
            }
        }
    }

    private static void command(String... words) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).as(() -> String.join(" ", words)).isZero();
    }

    private static boolean attempt(String... words) throws IOException, InterruptedException {
        return new ProcessBuilder(words).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor() == 0;
    }

    private static String output(String... words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
