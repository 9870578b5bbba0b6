using System.Net;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>Addresses of receivers that are refused before anything is stored.</summary>
public sealed class ReceiverUrlTests
{
    private static readonly OutboundGuard Guard = new(new OutboundOptions(), (_, _) => Task.FromResult<IPAddress[]>([]));

    /// <summary>A name of so many characters, of labels that are short enough.</summary>
    private static string Host(int length) => string.Concat(Enumerable.Range(0, length).Select(i => i % 50 == 49 && i < length - 1 ? '.' : 'a'));

    private static InputErrors Check(string url)
    {
        var errors = new InputErrors();
        ReceiverUrl.Check(url, Guard, errors);
        return errors;
    }

    [Theory]
    [InlineData(253, false)]
    [InlineData(254, true)]
    [InlineData(4_000, true)]       // the outbox could not order it, and the call could not be stored
    public void Host_IsNoLongerThanANameCanBe(int length, bool isRefused) => Assert.Equal(isRefused, Check($"https://{Host(length)}/hook").Any);

    [Theory]
    [InlineData("hook", "Enter a valid URL (https or http).")]
    [InlineData("https://me:secret@example.com/hook", "Credentials in a URL are not allowed: send them in a header.")]
    [InlineData("http://127.0.0.1/hook", "127.0.0.1")]
    public void WrongUrl_IsToldInWords(string url, string words) => Assert.Contains(words, Check(url).ToJson().ToJsonString(), StringComparison.Ordinal);
}
