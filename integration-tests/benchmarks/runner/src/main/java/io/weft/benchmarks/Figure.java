package io.weft.benchmarks;

import java.util.Map;

/**
 * One measured value held against its budget; ok when it is not above.
 *
 * @param name the benchmark's, with a suffix when it has several figures
 * @param value rounded to what the measurement supports
 * @param budget {@code Double.MAX_VALUE}: it has none, which is {@code null} in JSON
 * @param detail what a reader needs to judge the value
 */
public record Figure(String name, double value, String unit, double budget, Map<String, Object> detail) {
    public boolean ok() {
        return value <= budget;
    }
}
