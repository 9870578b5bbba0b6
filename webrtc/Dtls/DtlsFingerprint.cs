using System.Globalization;
using System.Security.Cryptography;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>The hash of a certificate as SDP carries it (RFC 8122 §5): <c>sha-256 4A:AD:B9:...</c>.</summary>
/// <remarks>SHA-256 only. RFC 8122 makes it mandatory for everyone, so an offer without it is refused rather than trusted by a weaker hash.</remarks>
public sealed class DtlsFingerprint
{
    private const string Prefix = "sha-256 ";
    private const int Hash = SHA256.HashSizeInBytes;

    private readonly byte[] _hash;

    private DtlsFingerprint(byte[] hash) => _hash = hash;

    /// <summary>Reads the value of an <c>a=fingerprint</c> line. Hash name and digits are taken in either case.</summary>
    /// <returns><see langword="false"/>: another hash function, or not 32 pairs of digits with colons between.</returns>
    public static bool TryParse(ReadOnlySpan<char> value, out DtlsFingerprint fingerprint)
    {
        fingerprint = null!;
        if (value.Length != Prefix.Length + 3 * Hash - 1 || !value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return false;
        var hash = new byte[Hash];
        for (var i = 0; i < Hash; i++)
        {
            var pair = value[(Prefix.Length + 3 * i)..];
            if (!char.IsAsciiHexDigit(pair[0]) || !char.IsAsciiHexDigit(pair[1]) || (i < Hash - 1 && pair[2] != ':'))
                return false;
            hash[i] = byte.Parse(pair[..2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }
        fingerprint = new DtlsFingerprint(hash);
        return true;
    }

    /// <summary>Whether a certificate is the one meant. Takes the same time whatever the answer.</summary>
    /// <param name="certificate">In DER.</param>
    public bool Matches(ReadOnlySpan<byte> certificate)
    {
        Span<byte> hash = stackalloc byte[Hash];
        SHA256.HashData(certificate, hash);
        return CryptographicOperations.FixedTimeEquals(hash, _hash);
    }

    internal static DtlsFingerprint Of(ReadOnlySpan<byte> certificate) => new(SHA256.HashData(certificate));

    public override string ToString() => Prefix + string.Join(':', _hash.Select(octet => octet.ToString("X2", CultureInfo.InvariantCulture)));
}
