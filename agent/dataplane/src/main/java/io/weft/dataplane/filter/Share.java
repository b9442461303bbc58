package io.weft.dataplane.filter;

import io.weft.dataplane.Randomness;
import io.weft.policy.model.RouteMatch.Fraction;

/** A {@link Fraction} of the requests, by chance. Immutable. */
final class Share {
    private final int numerator;
    private final int denominator;
    private final Randomness randomness;

    Share(Fraction fraction, Randomness randomness) {
        numerator = fraction.numerator();
        denominator = fraction.denominator();
        this.randomness = randomness;
    }

    boolean includesOne() {
        return includesOne(numerator);
    }

    /**
     * @param wanted a numerator that a request asks for, of which no more than the policy's is granted; null: it does not, or what
     *     it says is no number
     */
    boolean includesOne(String wanted) {
        long asked = wanted == null ? -1 : HeaderNumber.of(wanted);
        return includesOne(asked < 0 ? numerator : (int) Math.min(asked, numerator));
    }

    private boolean includesOne(int numerator) {
        return numerator >= denominator || numerator > 0 && randomness.below(denominator) < numerator;
    }
}
