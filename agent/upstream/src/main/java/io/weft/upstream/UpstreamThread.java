package io.weft.upstream;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.weft.policy.DaemonThreads;

/** The one thread of the agent's own connections: a daemon, of no app loader, started with the first of them. Thread-safe. */
public final class UpstreamThread {
    private EventLoop loop;

    synchronized EventLoop loop() {
        if (loop == null) {
            loop = new MultiThreadIoEventLoopGroup(1, new DaemonThreads("weft-upstream"), NioIoHandler.newFactory()).next();
        }
        return loop;
    }
}
