/** The last good resources on disk. All of it blocks, but for {@link io.weft.policy.cache.ResourceCache#store}. */
package io.weft.policy.cache;
