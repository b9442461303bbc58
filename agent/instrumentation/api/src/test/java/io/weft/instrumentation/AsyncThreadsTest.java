package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Nothing that the app does keeps a request from its end. */
class AsyncThreadsTest {
    private final ClassLoader library = new ClassLoader() {};
    private final AsyncThreads threads = new AsyncThreads("completing", library);

    @Test
    void aCommonPoolThatWaitsIsNotWaitedFor() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        int all = ForkJoinPool.getCommonPoolParallelism();
        CountDownLatch waiting = new CountDownLatch(all);
        for (int i = 0; i < all; i++) {
            ForkJoinPool.commonPool().submit(() -> {
                waiting.countDown();
                answered.await();
                return null;
            });
        }
        try {
            assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<Void> after = new CompletableFuture<>();
            CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS, threads).execute(() -> after.complete(null));
            after.get(10, TimeUnit.SECONDS);
        } finally {
            answered.countDown();
        }
    }

    @Test
    void callbacksMayWaitForEachOther() throws Exception {
        CyclicBarrier together = new CyclicBarrier(21);
        for (int i = 0; i < 20; i++) {
            threads.execute(() -> {
                try {
                    together.await();
                } catch (Exception interrupted) {
                    throw new IllegalStateException(interrupted);
                }
            });
        }
        together.await(10, TimeUnit.SECONDS);
    }

    @Test
    void aThreadKeepsNeitherTheJvmNorAnAppThatIsGone() throws Exception {
        CompletableFuture<Thread> ran = new CompletableFuture<>();
        threads.execute(() -> ran.complete(Thread.currentThread()));
        Thread thread = ran.get(10, TimeUnit.SECONDS);
        assertThat(thread.isDaemon()).isTrue();
        assertThat(thread.getContextClassLoader()).isSameAs(library);
        thread.join(10_000);
        assertThat(thread.isAlive()).isFalse();
    }
}
