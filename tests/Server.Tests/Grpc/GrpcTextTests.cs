using System.Text;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>What stands in headers and trailers: timeouts, messages, status codes.</summary>
public sealed class GrpcTextTests
{
    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("3S", 3_000)]
    [InlineData("100m", 100)]
    [InlineData("5000u", 5)]
    [InlineData("1000000n", 1)]
    [InlineData("0S", 0)]
    [InlineData("99999999H", 30L * 24 * 3_600_000)]        // 11,000 years: the longest that is kept
    public void Timeouts_AreRead(string text, long milliseconds)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1 S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("0x1S")]
    [InlineData("١S")]
    [InlineData("1S,1S")]
    public void BrokenTimeouts_AreRefused(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));

    [Fact]
    public void AnyTimeout_IsReadByTheGrammarOrRefused() => Prop.ForAll(
        Gen.ArrayOf(Gen.Elements('0', '1', '9', 'H', 'M', 'S', 'm', 'u', 'n', '-', ' ', 'x')).Select(c => new string(c)).ToArbitrary(),
        text => GrpcTimeout.TryParse(text, out var timeout) == System.Text.RegularExpressions.Regex.IsMatch(text, "^[0-9]{1,8}[HMSmun]\\z")
            && timeout >= TimeSpan.Zero && timeout <= GrpcTimeout.Longest).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("plain text, 100 %", "plain text, 100 %25")]
    [InlineData("für\n€", "f%C3%BCr%0A%E2%82%AC")]
    [InlineData("\U0001F600\u007F", "%F0%9F%98%80%7F")]
    public void Messages_ArePercentEncoded(string text, string expected) => Assert.Equal(expected, GrpcText.Encode(text));

    [Fact]
    public void HalfASurrogatePair_IsReplaced() => Assert.Equal("half %EF%BF%BD", GrpcText.Encode("half \uD83D"));

    [Fact]
    public void AnyMessage_IsPrintableBoundedAndComesBack() => Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
    {
        text = string.Concat(Enumerable.Repeat(text ?? "", 40));
        var encoded = GrpcText.Encode(text);
        var known = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));       // half surrogate pairs replaced
        return encoded.All(c => c is >= ' ' and <= '~') && encoded.Length <= GrpcText.MaxLength && known.StartsWith(Uri.UnescapeDataString(encoded), StringComparison.Ordinal)
            && (encoded.Length > GrpcText.MaxLength - 12 || Uri.UnescapeDataString(encoded) == known);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Refusals_HaveTheStatusOfTheirKind()
    {
        Assert.Equal(
            [GrpcStatusCode.NotFound, GrpcStatusCode.FailedPrecondition, GrpcStatusCode.PermissionDenied, GrpcStatusCode.FailedPrecondition, GrpcStatusCode.ResourceExhausted,
                GrpcStatusCode.Unavailable, GrpcStatusCode.Unauthenticated, GrpcStatusCode.Unauthenticated, GrpcStatusCode.InvalidArgument, GrpcStatusCode.ResourceExhausted],
            new[] { ErrorCode.CallNotFound, ErrorCode.CallNotLive, ErrorCode.JoinRefused, ErrorCode.JoinExpired, ErrorCode.ConcurrencyLimit, ErrorCode.Draining,
                HttpErrors.NotAuthenticated, HttpErrors.KeyRefused, HttpErrors.ParseError, HttpErrors.TooLarge }.Select(GrpcFailure.CodeOf));
    }
}
