package io.weft.admin;

import io.netty.channel.Channel;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The connections of one listener, on one event loop. Whoever reaches it may open as many as he likes, so there are only so many at once,
 * each for so long: else they would take the file descriptors of the app. When there are more the oldest has to go, which is nobody who
 * asks and listens.
 */
final class Visitors {

    /** @param stay of a connection, from its beginning to the end of its answer */
    record Limits(int connections, Duration stay) {
        static final Limits USUAL = new Limits(32, Duration.ofSeconds(10));
    }

    private final Limits limits;
    private final Set<Channel> present = new LinkedHashSet<>();

    Visitors(Limits limits) {
        this.limits = limits;
    }

    void admit(Channel channel) {
        if (present.size() >= limits.connections()) {
            Iterator<Channel> longest = present.iterator();
            Channel leaving = longest.next();
            longest.remove();
            leaving.close();
        }
        present.add(channel);
        ScheduledFuture<?> end = channel.eventLoop().schedule(() -> channel.close(), limits.stay().toMillis(), TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> {
            end.cancel(false);
            present.remove(channel);
        });
    }
}
