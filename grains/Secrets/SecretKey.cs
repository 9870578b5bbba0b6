namespace VoiceGrains.Grains.Secrets;

/// <summary>The key that encrypts secrets at rest (AES-256-GCM): 32 bytes, from the host's data folder or configuration. Never logged, never stored beside what it encrypts.</summary>
public sealed class SecretKey
{
    private readonly byte[] key;

    /// <exception cref="ArgumentException">It is not 32 bytes long.</exception>
    public SecretKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != 32)
            throw new ArgumentException($"A secret key is 32 bytes, not {key.Length}.", nameof(key));
        this.key = key.ToArray();
    }

    /// <summary>The 32 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => key;

    /// <inheritdoc/>
    public override string ToString() => "(secret)";
}
