package io.weft.it.kubernetes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/**
 * etcd and an API server of this machine, on loopback unless {@link StartedNode} has nodes reach it. Their programs are in the folder that the environment
 * variable {@code KUBEBUILDER_ASSETS} names, as {@code setup-envtest} prints it; Gateway API's definitions are the file that the system
 * property {@code weft.it.gateway-api} names, a release's {@code standard-install.yaml}. Both can be killed, and started again with what they had.
 */
final class StartedCluster implements RealCluster {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String ADMIN_TOKEN = "admin-of-this-test";
    private static final String LOOPBACK = "127.0.0.1";

    private final Path programs;
    private final Path folder;
    private final String address;
    private final int etcdPort = Port.unused();
    private final int etcdPeerPort = Port.unused();
    private final int port = Port.unused();
    private Process etcd;
    private Process apiServer;
    private Path kubeconfig;
    private KubernetesClient client;

    private StartedCluster(Path programs, Path folder, String address) {
        this.programs = programs;
        this.folder = folder;
        this.address = address;
    }

    /** The test is skipped where the programs are not. */
    static StartedCluster start(Testbed testbed) throws IOException {
        Path programs = programs("etcd", "kube-apiserver");
        String gateway = System.getProperty("weft.it.gateway-api", "");
        assumeTrue(!gateway.isEmpty(), "no definitions of Gateway API: name its standard-install.yaml by -Dweft.it.gateway-api=FILE");
        StartedCluster cluster = start(testbed, programs, LOOPBACK);
        cluster.define(Path.of(gateway));
        return cluster;
    }

    /** @param address of this machine, at which pods can reach it, unless it is loopback */
    static StartedCluster start(Testbed testbed, Path programs, String address) throws IOException {
        StartedCluster cluster = testbed.closeAfterwards(new StartedCluster(programs, testbed.temporaryFolder(), address));
        cluster.begin();
        return cluster;
    }

    /** The folder in which they are; the test is skipped where they are not. */
    static Path programs(String... names) {
        String assets = System.getenv("KUBEBUILDER_ASSETS");
        assumeTrue(assets != null && !assets.isEmpty(), "no API server: the environment variable KUBEBUILDER_ASSETS names no folder with "
                + String.join(", ", names) + "; CONTRIBUTING.md says how to get them");
        for (String program : names) {
            assumeTrue(Files.isExecutable(Path.of(assets, program)), "there is no " + program + " in KUBEBUILDER_ASSETS, " + assets
                    + "; CONTRIBUTING.md says how to get it");
        }
        return Path.of(assets);
    }

    private void begin() throws IOException {
        KeyPair keys = keys();
        Files.writeString(accountsKey(), pem("PRIVATE KEY", keys.getPrivate()));
        Files.writeString(folder.resolve("accounts.pub"), pem("PUBLIC KEY", keys.getPublic()));
        Files.writeString(folder.resolve("tokens.csv"), ADMIN_TOKEN + ",admin,1,\"system:masters\"\n"
                + nodeToken() + ",system:node:" + StartedNode.NAME + ",2,\"system:nodes\"\n");
        startEtcd();
        startApiServer();
    }

    private static String nodeToken() {
        return "token-of-" + StartedNode.NAME;
    }

    private void define(Path definitions) throws IOException {
        try (var file = Files.newInputStream(definitions)) {
            client.load(file).items().stream().filter(each -> each.getKind().equals("CustomResourceDefinition"))
                    .forEach(each -> client.resource(each).create());
        }
        await("the definitions are in force").atMost(PATIENCE).until(() -> client.getApiResources("gateway.networking.k8s.io/v1") != null);
    }

    Path accountsKey() {
        return folder.resolve("accounts.key");
    }

    /** Of whom the API server's chains to. */
    Path certificate() {
        return folder.resolve("certificates").resolve("apiserver.crt");
    }

    /** With the rights of a node. */
    Path nodeKubeconfig() throws IOException {
        return kubeconfig("node", nodeToken());
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String pem(String what, Key key) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded()) + "\n-----END " + what + "-----\n";
    }

    void startEtcd() throws IOException {
        String clients = "http://127.0.0.1:" + etcdPort;
        String peers = "http://127.0.0.1:" + etcdPeerPort;
        etcd = run("etcd", "--data-dir=" + folder.resolve("etcd"), "--listen-client-urls=" + clients, "--advertise-client-urls=" + clients,
                "--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=default=" + peers, "--unsafe-no-fsync");
    }

    /** Returns when it answers. */
    void startApiServer() throws IOException {
        apiServer = run("kube-apiserver",
                "--etcd-servers=http://127.0.0.1:" + etcdPort,
                "--bind-address=" + address, "--advertise-address=" + address, "--secure-port=" + port,
                // Loopback may not be among a Service's endpoints.
                "--endpoint-reconciler-type=" + (address.equals(LOOPBACK) ? "none" : "lease"),
                "--cert-dir=" + folder.resolve("certificates"),
                "--token-auth-file=" + folder.resolve("tokens.csv"),
                "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-signing-key-file=" + accountsKey(),
                "--service-account-key-file=" + folder.resolve("accounts.pub"),
                "--service-cluster-ip-range=10.96.0.0/16",
                "--kubelet-preferred-address-types=InternalIP",
                // There may be no kube-proxy by which it could reach a webhook.
                "--enable-aggregator-routing=true");
        await("the API server has a certificate").atMost(PATIENCE).until(() -> runs() && Files.exists(certificate()) && Files.size(certificate()) > 0);
        if (client == null) {
            kubeconfig = kubeconfig("admin", ADMIN_TOKEN);
            client = new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(kubeconfig.toFile())).build();
        }
        await("the API server is ready").atMost(PATIENCE).until(this::isReady);
    }

    private Path kubeconfig(String name, String token) throws IOException {
        return Files.writeString(folder.resolve(name + ".kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "https://%s:%d", certificate-authority-data: "%s"}}]
                users: [{name: u, user: {token: %s}}]
                contexts: [{name: x, context: {cluster: c, user: u}}]
                current-context: x
                """.formatted(address, port, Base64.getEncoder().encodeToString(Files.readAllBytes(certificate())), token));
    }

    private boolean isReady() throws IOException {
        try {
            return runs() && "ok".equals(client.raw("/readyz"));
        } catch (KubernetesClientException notYet) {
            return false;
        }
    }

    private boolean runs() throws IOException {
        if (!apiServer.isAlive() || !etcd.isAlive()) {
            throw new IllegalStateException("ended: " + Files.readString(folder.resolve((etcd.isAlive() ? "kube-apiserver" : "etcd") + ".log"), StandardCharsets.UTF_8));
        }
        return true;
    }

    private Process run(String program, String... arguments) throws IOException {
        return run(programs, program, folder, arguments);
    }

    /** What it says is in a file of the folder. It does not outlive this JVM. */
    static Process run(Path programs, String program, Path folder, String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(programs.resolve(program).toString());
        builder.command().addAll(List.of(arguments));
        // A containerd looks for its shim there.
        builder.environment().compute("PATH", (name, path) -> programs + ":" + path);
        Process started = builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve(program + ".log").toFile())).start();
        Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly, "kill " + program));
        return started;
    }

    void killEtcd() {
        kill(etcd);
    }

    void killApiServer() {
        kill(apiServer);
    }

    static void kill(Process process) {
        if (process == null) {
            return;
        }
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public Path kubeconfig() {
        return kubeconfig;
    }

    @Override
    public void load(Path archive) {
        throw new UnsupportedOperationException("it has no node");
    }

    @Override
    public boolean remains() {
        return false;
    }

    @Override
    public void close() {
        if (client != null) {
            client.close();
        }
        killApiServer();
        killEtcd();
    }
}
