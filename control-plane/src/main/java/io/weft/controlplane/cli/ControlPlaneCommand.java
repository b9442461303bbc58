package io.weft.controlplane.cli;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.page.PageServer;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.rollout.FolderRoutes;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "control-plane",
        description = {
            "Serves the policies of a folder, or of a Kubernetes cluster, to the data planes that connect.",
            "",
            "Agents connect with WEFT_CONTROL_PLANE=grpc://HOST:PORT. A change of a file is in force at once; a document with"
                    + " an error is refused with file, line and field, and its last good version stays in force. If all files vanish at"
                    + " once, or the folder is replaced by another one, what is missing stays in force for 10 s more."
                    + " Stop it with Ctrl-C or SIGTERM: data planes go on with what they have.",
            "",
            "In a cluster the Services are what is called, Kuma's policies in it are what is obeyed, and an agent is the pod whose"
                    + " token it shows. Replicas keep nothing of their own.",
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:stopped", "1:could not start; the reason is on stderr", "2:wrong usage"})
final class ControlPlaneCommand implements Callable<Integer> {

    private static final String DEFAULT_PAGE = "127.0.0.1:5679";

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Origin origin;

    static final class Origin {
        @Option(
                names = "--policies",
                required = true,
                paramLabel = "DIR",
                description = "Folder of policies, *.yaml and *.yml, in Kuma's universal or Kubernetes form.")
        private Path policies;

        @ArgGroup(exclusive = false)
        private Kubernetes cluster;
    }

    static final class Kubernetes {
        @Option(
                names = "--kubernetes",
                required = true,
                description = "Instead of a folder a cluster: the one in which this runs as a pod, or that of the kubeconfig.")
        @SuppressWarnings("UnusedVariable") // that it is there makes the group
        private boolean kubernetes;

        @Option(
                names = "--kubeconfig",
                paramLabel = "FILE",
                description = "How to reach the cluster from outside. Default: as KUBECONFIG says.")
        private Path kubeconfig;

        @Option(
                names = "--namespace",
                paramLabel = "NAME",
                description = "This control plane's own namespace, where it keeps the keys of the CAs that are made here. Default:"
                        + " the pod's.")
        private String namespace;

        @Option(
                names = "--mesh",
                paramLabel = "NAME",
                description = "Mesh of pods, Services and policies without the label kuma.io/mesh. Default: default.")
        private String mesh = "default";
    }

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:5678",
            description = "Where to listen; port 0 takes a free one. Default: ${DEFAULT-VALUE}, this machine only."
                    + " Open it to a network with --tls-certificate only: keys and tokens go over it.")
    private ListenAddress listen;

    @Option(
            names = "--state-dir",
            paramLabel = "DIR",
            description = "Where to keep the registrations for a restart, the keys of the CAs that are made here, and the key for"
                    + " tokens. Default: .weft in the policy folder.")
    private Path state;

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            defaultValue = "45s",
            description = "How long an instance whose connection broke is kept, as unhealthy, before it is removed. After a restart"
                    + " those that were there before get at least 45s. Default: ${DEFAULT-VALUE}.")
    private Duration grace;

    @Option(
            names = "--require-tokens",
            description = "Serve nobody without a token (weft token). In a mesh that gives identities, by a MeshIdentity or by"
                    + " mtls, tokens are demanded in any case.")
    private boolean requireTokens;

    @Option(
            names = "--instances-per-token",
            paramLabel = "NUMBER",
            description = "How many data planes may show the same token at once; one more is turned away and told so. Default: 1000,"
                    + " and with --kubernetes, where a token is a pod's, 32.")
    private Integer instances;

    @ArgGroup(exclusive = false)
    private TlsFiles tls;

    static final class TlsFiles {
        @Option(
                names = "--tls-certificate",
                required = true,
                paramLabel = "FILE",
                description = "PEM certificate chain of this port, for agents with WEFT_CONTROL_PLANE=grpcs://HOST:PORT. Needs --tls-key."
                        + " The files are looked at again every minute.")
        private Path certificate;

        @Option(names = "--tls-key", required = true, paramLabel = "FILE", description = "PEM private key (PKCS #8) of it.")
        private Path key;
    }

    @Option(
            names = "--page",
            paramLabel = "HOST:PORT",
            description = "Where to serve the web page that shows the mesh; 'off': nowhere. Default: 127.0.0.1:5679, if it is free, this machine"
                    + " only. Everybody who reaches it can read; changing anything takes a token (weft token --operator).")
    private String page;

    @Option(
            names = "--page-host",
            paramLabel = "NAME",
            description = "A name of this machine by which the page may be reached, besides localhost and addresses. May be repeated.")
    private Set<String> pageHosts = Set.of();

    @Option(names = "--json", description = "Print the line that says it is ready as JSON.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Path policies = origin.policies;
        if (policies != null && !Files.isDirectory(policies)) {
            err.println("weft control-plane: --policies " + policies + " is not a folder; create it or name another one");
            return 1;
        }
        if (policies == null && state != null) {
            err.println("weft control-plane: --state-dir is for --policies; with --kubernetes all state is in the cluster");
            return 2;
        }
        if (grace.isZero()) {
            err.println("weft control-plane: --grace must be above zero");
            return 2;
        }
        if (instances != null && instances < 1) {
            err.println("weft control-plane: --instances-per-token must be above zero");
            return 2;
        }
        if (!"off".equals(page)) {
            pageListen();
        }
        ControlPlane controlPlane;
        try {
            controlPlane = ControlPlane.start(new ControlPlane.Settings(
                    policies == null ? cluster() : folder(),
                    listen.socketAddress(),
                    grace,
                    requireTokens ? ControlPlane.Tokens.ALWAYS : ControlPlane.Tokens.WHERE_IDENTITIES_ARE,
                    Optional.ofNullable(tls).map(files -> new ControlPlane.Tls(files.certificate, files.key)),
                    PortLimits.of(instances())));
        } catch (IOException e) {
            err.println("weft control-plane: cannot start: " + reason(e));
            return 1;
        }
        Optional<PageServer> shown;
        try {
            shown = page(controlPlane, err);
        } catch (IOException e) {
            stop(controlPlane, err);
            err.println("weft control-plane: cannot start: the page cannot be served on " + page + ": " + e.getMessage()
                    + "; choose another address with --page, or --page off");
            return 1;
        }
        warnOfClearText(err);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(controlPlane, err), "weft-stop"));
        out.println(readyLine(controlPlane, shown.map(this::pageAddress)));
        out.flush();
        controlPlane.awaitTermination();
        return 0;
    }

    private int instances() {
        if (instances != null) {
            return instances;
        }
        return origin.policies == null ? PortLimits.INSTANCES_OF_A_POD : PortLimits.INSTANCES;
    }

    private void warnOfClearText(PrintWriter err) {
        if (tls == null && !listen.socketAddress().getAddress().isLoopbackAddress()) {
            err.println("weft control-plane: --listen is not on loopback, and without --tls-certificate: whoever is on the way reads policies,"
                    + " tokens and the keys of stock Envoys. Agents elsewhere send no token so, and get nothing of a mesh that gives identities."
                    + " Give --tls-certificate and --tls-key, and the agents grpcs://");
            err.flush();
        }
    }

    private ControlPlane.Origin folder() {
        return state == null
                ? ControlPlane.Folder.of(origin.policies)
                : new ControlPlane.Folder(origin.policies, state);
    }

    private ControlPlane.Origin cluster() {
        return new ControlPlane.Cluster(
                Optional.ofNullable(origin.cluster.kubeconfig), Optional.ofNullable(origin.cluster.namespace), origin.cluster.mesh);
    }

    private static String reason(IOException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return cause instanceof BindException
                ? e.getMessage() + " (" + cause.getMessage() + "); is another one running? Choose another address with --listen"
                : e.getMessage();
    }

    private static void stop(ControlPlane controlPlane, PrintWriter err) {
        try {
            controlPlane.close();
        } catch (IOException e) {
            err.println("weft control-plane: while stopping: " + e);
            err.flush();
        }
    }

    private String from() {
        return origin.policies == null ? "the cluster" : origin.policies.toString();
    }

    /** Empty: there is none. */
    private Optional<PageServer> page(ControlPlane controlPlane, PrintWriter err) throws IOException {
        if ("off".equals(page)) {
            return Optional.empty();
        }
        Set<String> names = pageHosts.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
        PageServer.Settings settings = new PageServer.Settings(
                pageListen().socketAddress(), names, controlPlane.tls(), controlPlane::isOperator);
        try {
            return Optional.of(PageServer.start(
                    settings, controlPlane, Optional.ofNullable(origin.policies).map(FolderRoutes::new)));
        } catch (BindException e) {
            if (page != null) {
                throw e;
            }
            err.println("weft control-plane: no web page, as " + DEFAULT_PAGE + " is taken (" + e.getMessage()
                    + "); choose another address with --page");
            return Optional.empty();
        }
    }

    private ListenAddress pageListen() {
        try {
            return ListenAddress.parse(page == null ? DEFAULT_PAGE : page);
        } catch (TypeConversionException e) {
            throw new ParameterException(spec.commandLine(), "Invalid value for option '--page': " + e.getMessage());
        }
    }

    private String pageAddress(PageServer server) {
        return (tls == null ? "http://" : "https://") + pageListen().withPort(server.port()) + "/";
    }

    private String readyLine(ControlPlane controlPlane, Optional<String> shown) {
        PolicySet set = controlPlane.policies();
        String address = listen.withPort(controlPlane.port());
        String scheme = tls == null ? "grpc://" : "grpcs://";
        if (!json) {
            return "weft control plane ready on " + scheme + address + ", policies from " + from() + ": "
                    + set.inForce().size() + " in force, " + set.problems().size() + " problems"
                    + shown.map(where -> "; page on " + where).orElse("");
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("ready", true);
        line.put("address", scheme + address);
        shown.ifPresent(where -> line.put("page", where));
        line.put("policies", from());
        line.put("inForce", set.inForce().size());
        line.put("problems", set.problems());
        return Json.line(line);
    }
}
