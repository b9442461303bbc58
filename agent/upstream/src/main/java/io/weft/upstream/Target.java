package io.weft.upstream;

import io.netty.channel.EventLoop;
import io.weft.dataplane.ClientTls;
import io.weft.policy.model.HealthCheck;
import java.net.InetSocketAddress;
import java.util.function.Supplier;

/** Whom to check, on which thread. */
record Target(EventLoop loop, InetSocketAddress address, Supplier<ClientTls> tls, HealthCheck policy) {}
