package io.weft.upstream;

import io.netty.channel.EventLoop;
import io.weft.policy.model.HealthCheck;
import java.net.InetSocketAddress;

/** Whom to check, on which thread. */
record Target(EventLoop loop, InetSocketAddress address, HealthCheck policy) {}
