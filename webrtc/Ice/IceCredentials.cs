using System.Security.Cryptography;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>Short-term credentials of one side (RFC 8445 §5.3).</summary>
/// <param name="UsernameFragment">Of <c>a=ice-ufrag</c>.</param>
/// <param name="Password">Of <c>a=ice-pwd</c>. A secret: never logged.</param>
public sealed record IceCredentials(string UsernameFragment, string Password)
{
    /// <summary>Every local fragment has this length, so that it is looked up as one integer.</summary>
    internal const int FragmentLength = 8;

    private const int PasswordLength = 24;   // at least 22: 128 bits
    private const string IceCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    public override string ToString() => $"{UsernameFragment}:***";

    internal static IceCredentials Create()
        => new(RandomNumberGenerator.GetString(IceCharacters, FragmentLength), RandomNumberGenerator.GetString(IceCharacters, PasswordLength));
}
