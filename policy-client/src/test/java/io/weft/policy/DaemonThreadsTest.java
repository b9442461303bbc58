package io.weft.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.security.AccessControlContext;
import java.security.AccessController;
import java.security.CodeSource;
import java.security.PrivilegedAction;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A thread may be started by whoever comes first, and stays when he is gone. */
class DaemonThreadsTest {
    private static final InheritableThreadLocal<Object> INHERITED = new InheritableThreadLocal<>();

    private final DaemonThreads threads = new DaemonThreads("weft-test");
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void endThread() {
        end.countDown();
    }

    @Test
    void anAppWhoseCodeStartedItIsCollected() throws Exception {
        AtomicReference<Thread> made = new AtomicReference<>();
        WeakReference<ClassLoader> app = startedByAnApp(made);

        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return app.refersTo(null);
        });
        assertThat(made.get().isAlive()).isTrue();
        Reference.reachabilityFence(made);
    }

    @Test
    void itIsADaemonOfTheFirstGroupWithTheContextLoaderThatIsNamed() throws Exception {
        AtomicReference<Thread> made = new AtomicReference<>();
        startedByAnApp(made);

        assertThat(made.get().isDaemon()).isTrue();
        assertThat(made.get().getName()).isEqualTo("weft-test");
        assertThat(made.get().getThreadGroup().getParent()).isNull();
        assertThat(made.get().getContextClassLoader()).isSameAs(DaemonThreads.class.getClassLoader());
        ClassLoader library = new ClassLoader() {};
        assertThat(new DaemonThreads("weft-test", library).newThread(() -> { }).getContextClassLoader()).isSameAs(library);
    }

    /** On a thread of the app's, in its group, below code of its loader's. */
    private WeakReference<ClassLoader> startedByAnApp(AtomicReference<Thread> made) throws InterruptedException {
        ClassLoader app = new ClassLoader() {};
        Thread caller = new Thread(new AppGroup(app), () -> {
            INHERITED.set(app);
            Thread thread = calledBy(app, () -> threads.newThread(this::stay));
            thread.start();
            made.set(thread);
        }, "app");
        caller.setContextClassLoader(app);
        caller.start();
        caller.join();
        return new WeakReference<>(app);
    }

    private void stay() {
        try {
            end.await();
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
    }

    /** As though a class of the loader called it: what JDKs before 24 keep of callers is their protection domains. */
    @SuppressWarnings("removal")
    private static <T> T calledBy(ClassLoader loader, PrivilegedAction<T> action) {
        ProtectionDomain code = new ProtectionDomain(new CodeSource(null, (Certificate[]) null), null, loader, null);
        return AccessController.doPrivileged(action, new AccessControlContext(new ProtectionDomain[] {code}));
    }

    private static final class AppGroup extends ThreadGroup {
        /** As a class of the app's would: who keeps the group keeps the loader. */
        @SuppressWarnings("UnusedVariable")
        private final ClassLoader app;

        @SuppressWarnings("removal")
        AppGroup(ClassLoader app) {
            super("app");
            this.app = app;
            // Before JDK 19 its parent keeps it otherwise, when its threads have ended.
            setDaemon(true);
        }
    }
}
