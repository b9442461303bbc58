package io.weft.controlplane.injector;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/** So much of something at once, of which one address alone gets only a part. Thread-safe. */
final class Quota {

    private final long all;
    private final long forOne;
    /** Guarded by this, as all that follows. */
    private final Map<InetAddress, Long> taken = new HashMap<>();
    private long sum;

    /** @param forOne at most {@code all} */
    Quota(long all, long forOne) {
        this.all = all;
        this.forOne = forOne;
    }

    /** False: there is not so much left, and nothing has been taken. */
    synchronized boolean take(InetAddress who, long amount) {
        long own = taken.getOrDefault(who, 0L);
        if (own + amount > forOne || sum + amount > all) {
            return false;
        }
        if (amount > 0) {
            taken.put(who, own + amount);
            sum += amount;
        }
        return true;
    }

    /** @param amount that has been taken before */
    synchronized void giveBack(InetAddress who, long amount) {
        if (amount > 0) {
            taken.computeIfPresent(who, (key, own) -> own == amount ? null : own - amount);
            sum -= amount;
        }
    }
}
