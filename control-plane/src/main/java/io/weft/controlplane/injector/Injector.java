package io.weft.controlplane.injector;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The webhook with its certificates, kept fresh. */
public final class Injector implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Injector.class);
    private static final Duration RENEWAL = Duration.ofMinutes(1);

    private final KubernetesClient client;
    private final Certificates certificates;
    private final WebhookServer server;
    /** Empty: how the agent is delivered is settled. */
    private final Optional<ImageVolumes> images;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ScheduledExecutorService renewal = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "weft-certificates");
        thread.setDaemon(true);
        return thread;
    });

    private Injector(KubernetesClient client, Certificates certificates, WebhookServer server, Optional<ImageVolumes> images) {
        this.client = client;
        this.images = images;
        this.certificates = certificates;
        this.server = server;
    }

    /**
     * @param listen port 0: any free one
     * @param namespace of the injector, with its Secrets
     * @param client is closed with the injector
     * @throws IOException it cannot listen, or the cluster's API does not let it do its work
     */
    public static Injector start(
            InetSocketAddress listen, PodSettings pods, CertificateSettings settings, String namespace, KubernetesClient client)
            throws IOException {
        Cluster cluster = new Cluster(client, namespace);
        Certificates certificates = new Certificates(settings, cluster, Clock.systemUTC());
        certificates.renew();
        Optional<ImageVolumes> images = pods.delivery().isPresent() ? Optional.empty() : Optional.of(new ImageVolumes(cluster));
        PodInjection injection = new PodInjection(
                pods, () -> images.map(ImageVolumes::delivery).orElse(AgentDelivery.INIT_CONTAINER), certificates::bundle, cluster);
        Injector injector = new Injector(client, certificates, new WebhookServer(listen, injection, certificates::own), images);
        injector.renewal.scheduleWithFixedDelay(injector::renew, RENEWAL.toSeconds(), RENEWAL.toSeconds(), TimeUnit.SECONDS);
        images.ifPresent(known ->
                injector.renewal.scheduleWithFixedDelay(() -> look(known), 0, RENEWAL.toSeconds(), TimeUnit.SECONDS));
        return injector;
    }

    private void renew() {
        try {
            certificates.renew();
        } catch (IOException | RuntimeException e) {
            LOG.warn("the certificates cannot be looked after: {}; will be tried again in a minute", e.getMessage());
        }
    }

    private static void look(ImageVolumes images) {
        try {
            images.look();
        } catch (RuntimeException e) {
            // Thrown further it would never be called again.
            LOG.error("a look at what volumes there may be has failed; it is repeated. Please report this", e);
        }
    }

    public int port() {
        return server.port();
    }

    public void awaitTermination() throws InterruptedException {
        closed.await();
    }

    @Override
    public void close() {
        renewal.shutdownNow();
        server.close();
        images.ifPresent(ImageVolumes::close);
        client.close();
        closed.countDown();
    }
}
