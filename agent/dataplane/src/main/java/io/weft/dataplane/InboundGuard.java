package io.weft.dataplane;

import io.weft.dataplane.InboundPorts.PortInfo;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * What becomes of what comes in to a port of the service while no policy names that port. At first that is held up: who may come in is
 * not known yet. Then a policy from disk that names other ports closes it, for it shows that there are rules; so does {@code required}.
 * Else there is no mesh to go by, and everyone gets in.
 *
 * @param ofService whether the control plane is told of a port; all others are nobody's business. An empty library: one that listens
 *     already and has not been {@linkplain Inbound#opened opened}. On any thread
 * @param hold for how long, from the port's opening on, it is held up; not negative
 * @param required nothing gets in without a policy
 */
public record InboundGuard(Predicate<PortInfo> ofService, Duration hold, boolean required) {
    static final InboundGuard NONE = new InboundGuard(port -> false, Duration.ZERO, false);
}
