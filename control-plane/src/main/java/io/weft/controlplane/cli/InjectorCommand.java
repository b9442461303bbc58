package io.weft.controlplane.cli;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.weft.controlplane.injector.AgentDelivery;
import io.weft.controlplane.injector.AgentImage;
import io.weft.controlplane.injector.CertificateSettings;
import io.weft.controlplane.injector.Injector;
import io.weft.controlplane.injector.PodSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "injector",
        description = {
            "Puts the agent into pods as Kubernetes creates them.",
            "",
            "A mutating admission webhook over HTTPS, which makes its certificate by itself, renews it and tells the API server."
                    + " Runs in the cluster, with the rights that the Helm chart gives it; any number of replicas.",
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:stopped", "1:could not start; the reason is on stderr", "2:wrong usage"})
final class InjectorCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(names = "--agent-image", required = true, paramLabel = "IMAGE", description = "The agent's image, with /weft-agent.jar and /cp.")
    private String image;

    @Option(
            names = "--agent-image-pull-policy",
            paramLabel = "POLICY",
            description = "Always, IfNotPresent or Never. Default: the cluster's.")
    private String pullPolicy;

    @Option(
            names = "--agent-delivery",
            paramLabel = "WAY",
            defaultValue = "auto",
            converter = Delivery.class,
            description = "init-container: copies the jar into an emptyDir. image-volume: mounts the image, which API server, kubelet and"
                    + " container runtime of every node must be able to. auto: an image volume where they are, by all that can be seen, and"
                    + " no webhook or policy looks at pods; else an init container. Default: ${DEFAULT-VALUE}.")
    private Way delivery;

    @Option(
            names = "--control-plane",
            required = true,
            paramLabel = "URI",
            description = "Where the agents find their control plane: grpcs://HOST:PORT. HOST should be a full name, since other namespaces use it.")
    private URI controlPlane;

    @Option(
            names = "--control-plane-secret",
            paramLabel = "NAME",
            description = "Secret in which the control plane's certificate is kept fresh. Default: none; it has one that every JDK trusts.")
    private String controlPlaneSecret;

    @Option(names = "--mesh", paramLabel = "NAME", defaultValue = "default", description = "Of pods that name no other. Default: ${DEFAULT-VALUE}.")
    private String mesh;

    @Option(
            names = "--required",
            arity = "1",
            paramLabel = "true|false",
            defaultValue = "false",
            description = "true: agents let nobody in, health checks included, while no policy names the port, and a JVM whose agent cannot"
                    + " start ends (WEFT_REQUIRED). The annotation weft.io/required of a pod goes before. Default: ${DEFAULT-VALUE}.")
    private boolean required;

    @Option(names = "--listen", paramLabel = "HOST:PORT", defaultValue = ":9443", description = "Where to listen. Default: ${DEFAULT-VALUE}.")
    private ListenAddress listen;

    @Option(names = "--namespace", paramLabel = "NAME", description = "The injector's own. Default: that of its service account.")
    private String namespace;

    @Option(
            names = "--service",
            paramLabel = "NAME",
            defaultValue = "weft-injector",
            description = "The Service by which the API server calls it. Default: ${DEFAULT-VALUE}.")
    private String service;

    @Option(
            names = "--webhook",
            paramLabel = "NAME",
            defaultValue = "weft-injector",
            description = "The MutatingWebhookConfiguration in which it says whom to trust. Default: ${DEFAULT-VALUE}.")
    private String webhook;

    @Option(
            names = "--ca-secret",
            paramLabel = "NAME",
            defaultValue = "weft-server-ca",
            description = "Secret of the certificate authority of the replicas. Default: ${DEFAULT-VALUE}.")
    private String caSecret;

    /** @param settled empty: by what the cluster can */
    record Way(Optional<AgentDelivery> settled) {}

    static final class Delivery implements ITypeConverter<Way> {
        @Override
        public Way convert(String text) {
            return new Way(switch (text) {
                case "auto" -> Optional.empty();
                case "init-container" -> Optional.of(AgentDelivery.INIT_CONTAINER);
                case "image-volume" -> Optional.of(AgentDelivery.IMAGE_VOLUME);
                default -> throw new TypeConversionException("'" + text + "' is neither auto nor init-container nor image-volume");
            });
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        boolean secured = "grpcs".equals(controlPlane.getScheme());
        if (!secured && !"grpc".equals(controlPlane.getScheme()) || controlPlane.getHost() == null || controlPlane.getPort() < 0) {
            err.println("weft injector: --control-plane must be grpcs://HOST:PORT, not " + controlPlane);
            return 2;
        }
        if (!secured && controlPlaneSecret != null) {
            err.println("weft injector: --control-plane-secret needs --control-plane grpcs://HOST:PORT");
            return 2;
        }
        KubernetesClient client = new KubernetesClientBuilder().build();
        String own = namespace == null ? client.getNamespace() : namespace;
        if (own == null) {
            err.println("weft injector: not in a cluster, as it seems; name its namespace with --namespace");
            return 2;
        }
        PodSettings pods = new PodSettings(
                new AgentImage(image, Optional.ofNullable(pullPolicy)),
                delivery.settled(),
                controlPlane,
                mesh,
                controlPlaneSecret == null ? PodSettings.Trust.PUBLIC : PodSettings.Trust.OURS,
                required);
        CertificateSettings certificates = new CertificateSettings(
                caSecret,
                List.of(service + "." + own + ".svc"),
                webhook,
                Optional.ofNullable(controlPlaneSecret)
                        .map(secret -> new CertificateSettings.ControlPlane(secret, List.of(controlPlane.getHost()))));
        Injector injector;
        try {
            injector = Injector.start(listen.socketAddress(), pods, certificates, own, client);
        } catch (IOException e) {
            client.close();
            err.println("weft injector: cannot start: " + e.getMessage());
            return 1;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(injector::close, "weft-stop"));
        out.println("weft injector ready on https://" + listen.withPort(injector.port()) + "/inject, agent " + image);
        out.flush();
        injector.awaitTermination();
        return 0;
    }
}
