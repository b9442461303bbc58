package io.weft.upstream;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.ThreadFactory;

/** The one thread of the agent's own connections: a daemon, of no app loader, started with the first of them. Thread-safe. */
public final class UpstreamThread {
    private EventLoop loop;

    synchronized EventLoop loop() {
        if (loop == null) {
            loop = new MultiThreadIoEventLoopGroup(1, new Threads(), NioIoHandler.newFactory()).next();
        }
        return loop;
    }

    private static final class Threads implements ThreadFactory {
        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(null, task, "weft-upstream", 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(UpstreamThread.class.getClassLoader());
            return thread;
        }
    }
}
