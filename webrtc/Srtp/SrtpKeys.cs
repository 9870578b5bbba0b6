using System.Security.Cryptography;

namespace VoiceGrains.WebRtc.Srtp;

/// <summary>What a DTLS handshake agreed on for media: the profile, and a master key with its salt for each direction (RFC 5764 §4.2).</summary>
/// <remarks>The memory is zeroed on <see cref="Dispose"/>; a <see cref="SrtpSession"/> keeps its own copy, so it lives on.</remarks>
public sealed class SrtpKeys : IDisposable
{
    private readonly byte[] _inbound;
    private readonly byte[] _outbound;
    private bool _disposed;

    /// <param name="profile">The profile agreed on.</param>
    /// <param name="inbound">Master key followed by its salt, of what the peer sends.</param>
    /// <param name="outbound">Master key followed by its salt, of what we send.</param>
    /// <exception cref="ArgumentException">The profile is unknown, or a length is not the profile's.</exception>
    public SrtpKeys(SrtpProfile profile, ReadOnlySpan<byte> inbound, ReadOnlySpan<byte> outbound)
    {
        if (!Enum.IsDefined(profile))
            throw new ArgumentException($"SRTP profile {(int)profile} is not supported.", nameof(profile));
        var length = profile.KeyLength() + profile.SaltLength();
        if (inbound.Length != length || outbound.Length != length)
            throw new ArgumentException($"Key and salt of {profile} are {length} bytes together.");
        Profile = profile;
        // Pinned, so that the collector leaves no second copy behind when it compacts.
        _inbound = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        _outbound = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        inbound.CopyTo(_inbound);
        outbound.CopyTo(_outbound);
    }

    public SrtpProfile Profile { get; }

    /// <exception cref="ObjectDisposedException">The keys are gone.</exception>
    internal ReadOnlySpan<byte> Inbound => Alive(_inbound);

    /// <inheritdoc cref="Inbound"/>
    internal ReadOnlySpan<byte> Outbound => Alive(_outbound);

    /// <summary>Takes the block that DTLS exported apart: client key, server key, client salt, server salt (RFC 5764 §4.2).</summary>
    internal static SrtpKeys FromExport(SrtpProfile profile, ReadOnlySpan<byte> material, bool isClient)
    {
        var (key, salt) = (profile.KeyLength(), profile.SaltLength());
        Span<byte> client = stackalloc byte[key + salt];
        Span<byte> server = stackalloc byte[key + salt];
        material[..key].CopyTo(client);
        material[key..(2 * key)].CopyTo(server);
        material[(2 * key)..(2 * key + salt)].CopyTo(client[key..]);
        material[(2 * key + salt)..].CopyTo(server[key..]);
        var keys = isClient ? new SrtpKeys(profile, server, client) : new SrtpKeys(profile, client, server);
        CryptographicOperations.ZeroMemory(client);
        CryptographicOperations.ZeroMemory(server);
        return keys;
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_inbound);
        CryptographicOperations.ZeroMemory(_outbound);
    }

    private byte[] Alive(byte[] key)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return key;
    }
}
