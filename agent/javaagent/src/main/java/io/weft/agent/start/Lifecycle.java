package io.weft.agent.start;

import io.weft.admin.AdminSocket;
import io.weft.agent.link.Attachments;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Announcement;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.metrics.MetricsPushes;
import io.weft.agent.status.AdminPages;
import io.weft.agent.status.OpenPorts;
import io.weft.agent.status.UnguardedPorts;
import io.weft.agent.weave.LoadedClasses;
import io.weft.policy.model.MetricsPort;
import io.weft.policy.model.MetricsPush;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What happens when: the first library in use, or a port that can be called, starts the mesh, the first port of the app makes the JVM's shutdown drain it, the end
 * of the JVM ends the stream. Nothing of it runs on the thread that the event came on.
 */
final class Lifecycle implements Attachments.Listener, Mesh.Listener {
    /** Nobody asks sooner, and the app's start is not the time for it. */
    private static final long ADMIN_MILLIS = 2_000;
    /** Between two attempts; each pause is twice the one before, up to the longest. */
    private static final long FIRST_PAUSE_MILLIS = 5_000;

    private static final long LONGEST_PAUSE_MILLIS = 60_000;

    private final Background background;
    private final LoadedClasses loaded;
    private final Mesh mesh;
    private final ShutdownWeaving shutdown;
    private final HelloWeaving hello;
    private final Announcement announcement;
    private final AgentLog log;
    private final AtomicBoolean scanPlanned = new AtomicBoolean();
    private final CountDownLatch policy = new CountDownLatch(1);
    private AdminPages adminPages;
    private OpenPorts ports;
    private MetricsPushes pushes;
    private Runnable appTracers;
    private volatile Optional<AdminSocket> adminSocket = Optional.empty();

    Lifecycle(Background background, LoadedClasses loaded, Mesh mesh, ShutdownWeaving shutdown, HelloWeaving hello,
            Announcement announcement, AgentLog log) {
        this.background = background;
        this.loaded = loaded;
        this.mesh = mesh;
        this.shutdown = shutdown;
        this.hello = hello;
        this.announcement = announcement;
        this.log = log;
    }

    /**
     * Before anything is woven.
     *
     * @param metricsPushes what settings say of them begins together with the admin socket
     * @param watch looks for tracers of the app
     */
    void shows(AdminPages pages, OpenPorts open, MetricsPushes metricsPushes, Runnable watch) {
        adminPages = pages;
        ports = open;
        pushes = metricsPushes;
        appTracers = watch;
    }

    /** On the thread that started the agent. */
    void started() {
        loaded.weave();
        announcement.started();
        new UnknownServers(ports, mesh, this, background, log).lookAfterStart();
        Runtime.getRuntime().addShutdownHook(new End());
    }

    /**
     * Blocks until the first policy is in force and what was loaded already is woven, so that what the app asks for from then on goes by it. Not where the app has
     * used no library: then nobody has been asked for policy.
     *
     * @param patience the longest that it blocks
     * @return empty, or in parentheses what is missing
     */
    String connection(Duration patience) {
        try {
            if (mesh.isStarted() && policy.await(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                CountDownLatch scanned = new CountDownLatch(1);
                // After the scan that the first library has had planned.
                background.run("end the attach", scanned::countDown);
                scanned.await(patience.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        return announcement.connection();
    }

    @Override
    public void attached(String module) {
        mesh.start(this);
        announcement.attached(module);
        if (scanPlanned.compareAndSet(false, true)) {
            background.run("instrument classes that were loaded already", new Scan());
        }
    }

    /** Its requests go without the mesh; but who asks for its status is told so. */
    @Override
    public void left() {
        mesh.start(this);
    }

    @Override
    public void running() {
        background.runAfter(ADMIN_MILLIS, "open the admin socket", new Admin(FIRST_PAUSE_MILLIS));
        background.runAfter(ADMIN_MILLIS, "send metrics", pushes);
    }

    @Override
    public void policyInForce() {
        announcement.policyInForce();
        policy.countDown();
        background.run("look for ports to which policy does not hold", new UnguardedPorts(ports, mesh.ports(), background, System::nanoTime, log));
    }

    @Override
    public void securing() {
        hello.weave();
    }

    @Override
    public void metricsAt(Set<MetricsPort> ports) {
        background.run("open ports for metrics", () -> adminPages.metricsAt(ports, log));
    }

    @Override
    public void metricsTo(Set<MetricsPush> wanted) {
        background.run("send metrics", () -> pushes.follow(wanted));
    }

    @Override
    public void tracing() {
        background.run("look for tracers of the app", appTracers);
    }

    @Override
    public void serving() {
        shutdown.weave(mesh);
    }

    /** Once for all attachments that come close together. */
    private final class Scan implements Runnable {
        @Override
        public void run() {
            scanPlanned.set(false);
            loaded.weave();
        }
    }

    /** Whoever has to put the folder in order need not start the app again. */
    private final class Admin implements Runnable {
        private final long pause;

        Admin(long pause) {
            this.pause = pause;
        }

        @Override
        public void run() {
            adminSocket = adminPages.open(log);
            if (adminSocket.isEmpty() && adminPages.mayOpenLater()) {
                background.runAfter(pause, "open the admin socket", new Admin(Math.min(2 * pause, LONGEST_PAUSE_MILLIS)));
            }
        }
    }

    private final class End extends Thread {
        End() {
            super(null, null, "weft-end", 0, false);
            setContextClassLoader(Lifecycle.class.getClassLoader());
        }

        @Override
        public void run() {
            announcement.say();
            // Where the shutdown could not be woven: beside the app's own hooks is late, but better than not at all.
            mesh.drain();
            mesh.close();
            if (adminSocket.isPresent()) {
                adminSocket.get().close();
            }
        }
    }
}
