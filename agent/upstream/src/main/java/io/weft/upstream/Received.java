package io.weft.upstream;

import io.weft.policy.model.HealthCheck.Payload;
import java.util.List;

/** Whether what came is what a policy waits for. */
final class Received {
    private Received() {}

    /** Whether the parts are in it, in this order. */
    static boolean holds(List<Payload> parts, StringBuilder bytes) {
        int from = 0;
        for (Payload part : parts) {
            int found = bytes.indexOf(part.latin1(), from);
            if (found < 0) {
                return false;
            }
            from = found + part.latin1().length();
        }
        return true;
    }
}
