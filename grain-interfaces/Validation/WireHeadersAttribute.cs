using System.Buffers;
using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>Headers for a request of ours: names are tokens (RFC 9110 §5.6.2) that do not frame the request or its WebSocket handshake; values are one line.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WireHeadersAttribute : ValidationAttribute
{
    private const int LongestName = 256;
    private const int LongestValue = 8_192;
    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    private static readonly HashSet<string> Ours = new(["Host", "Connection", "Upgrade", "Content-Length", "Transfer-Encoding", "Trailer", "TE"], StringComparer.OrdinalIgnoreCase);

    public override bool IsValid(object? value)
        => value is not IReadOnlyDictionary<string, string> headers || headers.All(header => IsName(header.Key) && IsValue(header.Value));

    // Names and values stay out of it: values are secrets.
    public override string FormatErrorMessage(string name)
        => $"Names must be header names that the connection does not set itself, such as 'Host' or 'Sec-WebSocket-Key'; values must be one line of at most {LongestValue} characters.";

    private static bool IsName(string name)
        => name.Length is > 0 and <= LongestName && !name.AsSpan().ContainsAnyExcept(Token)
           && !Ours.Contains(name) && !name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase);

    private static bool IsValue(string? value) => value is { Length: <= LongestValue } && !value.Any(c => char.IsControl(c) && c != '\t');
}
