using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Grains.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Server.Tests.Http;

public sealed class JsonRequestReaderTests
{
    [Theory]
    // one problem of each kind, said by path
    [InlineData("""{"unknown":1}""", """{"unknown":["Unknown field."]}""")]
    [InlineData("""{"medium":{"serverWebSocket":{"inputSampleRate":7999}}}""", """{"medium":{"serverWebSocket":{"inputSampleRate":["Must be between 8000 and 48000 Hz."]}}}""")]
    [InlineData("""{"count":"1"}""", """{"count":["A valid integer is required."]}""")]
    [InlineData("""{"count":1.5}""", """{"count":["A valid integer is required."]}""")]
    [InlineData("""{"count":true}""", """{"count":["A valid integer is required."]}""")]
    [InlineData("""{"count":2147483648}""", """{"count":["A valid integer is required."]}""")]
    [InlineData("""{"ratio":1.01}""", """{"ratio":["Must be between 0 and 1."]}""")]
    [InlineData("""{"ratio":1e999}""", """{"ratio":["A valid number is required."]}""")]
    [InlineData("""{"flag":0}""", """{"flag":["Must be a valid boolean."]}""")]
    [InlineData("""{"text":5}""", """{"text":["Not a valid string."]}""")]
    [InlineData("""{"text":"\ud800"}""", """{"text":["Not a valid string."]}""")]
    [InlineData("""{"text":"a\u0000b"}""", """{"text":["Null characters are not allowed."]}""")]
    [InlineData("""{"text":"123456789"}""", """{"text":["Ensure this field has no more than 8 characters."]}""")]
    [InlineData("""{"wait":"5"}""", """{"wait":["Duration has wrong format. Use seconds with an 's', such as \"30s\" or \"1.5s\"."]}""")]
    [InlineData("""{"wait":"3601s"}""", """{"wait":["Must be between 0s and 3600s."]}""")]
    [InlineData("""{"wait":"-1s"}""", """{"wait":["Must be between 0s and 3600s."]}""")]
    [InlineData("""{"when":"yesterday"}""", """{"when":["Datetime has wrong format. Use ISO 8601, such as \"2026-01-31T12:00:00Z\"."]}""")]
    [InlineData("""{"id":"x"}""", """{"id":["Must be a valid UUID."]}""")]
    [InlineData("""{"role":"user"}""", """{"role":["\"user\" is not a valid choice."]}""")]
    [InlineData("""{"role":1}""", """{"role":["Not a valid string."]}""")]
    [InlineData("""{"site":"ftp://a.example"}""", """{"site":["Enter a valid URL (https or http)."]}""")]
    [InlineData("""{"site":"https://user:secret@a.example"}""", """{"site":["Enter a valid URL (https or http)."]}""")]
    [InlineData("""{"labels":{"a":1,"b":"x"}}""", """{"labels":{"a":["Not a valid string."]}}""")]
    [InlineData("""{"labels":["a"]}""", """{"labels":["Expected a dictionary of items but got type \"list\"."]}""")]
    [InlineData("""{"words":["a",1,null]}""", """{"words":{"1":["Not a valid string."],"2":["This field may not be null."]}}""")]
    [InlineData("""{"words":{}}""", """{"words":["Expected a list of items but got type \"dict\"."]}""")]
    [InlineData("""{"words":["a","b","c","d"]}""", """{"words":["Ensure this field has no more than 3 elements."]}""")]
    [InlineData("""{"messages":[{"role":"MESSAGE_ROLE_USER"},{"tone":1},3]}""",
        """{"messages":[{},{"tone":["Unknown field."]},{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}]}""")]
    [InlineData("""{"medium":7}""", """{"medium":["Invalid data. Expected a dictionary, but got int."]}""")]
    [InlineData("""{"count":null}""", "{}")]   // null is as good as absent where the record can hold it
    [InlineData("""{"certain":null}""", """{"certain":["This field may not be null."]}""")]
    [InlineData("""{"free":{"a":[1,{"b":"\u0000"}]}}""", """{"free":["Null characters are not allowed."]}""")]
    [InlineData("""{"free":[1]}""", """{"free":["Expected a dictionary of items but got type \"list\"."]}""")]
    [InlineData("""{"a":1,"b":2}""", """{"a":["Unknown field."],"b":["Unknown field."]}""")]   // all at once
    [InlineData("""{"left":"x","right":"y"}""", """{"non_field_errors":["Only one of 'left' and 'right' may be set, but 'left' and 'right' are."]}""")]
    [InlineData("""{"left":"x","right":null}""", "{}")]
    [InlineData("""{"created":"nonsense"}""", "{}")]   // read-only: ignored, as answers may be sent back
    [InlineData("[]", """{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}""")]
    [InlineData("null", """{"non_field_errors":["Invalid data. Expected a dictionary, but got null."]}""")]
    public void Read_TellsEveryProblemByItsPath(string json, string problems)
    {
        json = json.StartsWith('{') ? WithName(json) : json;
        Assert.Equal(problems, Problems<Sample>(json).ToJsonString(WireJson.Options));
    }

    [Fact]
    public void Read_OfAMissingRequiredField_NamesIt()
        => Assert.Equal("""{"name":["This field is required."]}""", Problems<Sample>("{}").ToJsonString());

    [Fact]
    public void Read_OfAValidRequest_KeepsEveryValue()
    {
        var sample = JsonRequestReader.Read<Sample>(Parse(
            """
            {"name":"n","count":-3,"ratio":0.5,"flag":true,"wait":"1.5s","role":"MESSAGE_ROLE_AGENT","labels":{"k":"v"},"words":["w"],
             "medium":{"serverWebSocket":{"inputSampleRate":48000,"mediaIdleTimeout":"15s"}},"free":{"a":[1]},"site":"https://a.example/{{path}}"}
            """));
        Assert.Equal(("n", -3, 0.5, true), (sample.Name, sample.Count, sample.Ratio, sample.Flag));
        Assert.Equal((TimeSpan.FromSeconds(1.5), MessageRole.Agent), (sample.Wait, sample.Role));
        Assert.Equal(("v", "w", "https://a.example/{{path}}"), (sample.Labels!["k"], sample.Words![0], sample.Site));
        Assert.Equal((48_000, TimeSpan.FromSeconds(15)), (sample.Medium!.ServerWebSocket!.InputSampleRate, sample.Medium.ServerWebSocket.MediaIdleTimeout));
        Assert.Equal("""{"a":[1]}""", sample.Free!.ToJsonString());
    }

    [Fact]
    public void Read_OfManyProblems_StopsAtTheLimit()
    {
        var fields = string.Join(",", Enumerable.Range(0, 500).Select(i => $"\"x{i}\":1"));
        Assert.Equal(InputErrors.MaxProblems, Problems<Sample>($"{{{fields}}}").Count);
    }

    [Fact]
    public void TryRead_OfArbitraryJson_NeverThrows_AndWhatItTakesIsStorable() => Prop.ForAll(ArbitraryJson, text =>
    {
        using var document = JsonDocument.Parse(text);
        var errors = new InputErrors();
        var ok = JsonRequestReader.TryRead<Sample>(document.RootElement, errors, out var sample);
        Assert.Equal(ok, !errors.Any);
        if (ok) Assert.DoesNotContain("\\u0000", JsonSerializer.Serialize(sample, WireJson.Options));
        else Assert.NotEqual("{}", errors.ToJson().ToJsonString());
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    /// <summary>JSON that uses the sample's own field names half of the time, with values of every kind, broken text among them.</summary>
    private static Arbitrary<string> ArbitraryJson { get; } = Gen.Sized(size => Value(Math.Min(size, 4))).ToArbitrary();

    private static Gen<string> Value(int depth)
    {
        var leaf = Gen.Elements("null", "true", "0", "-1", "1.5", "1e400", "\"\"", "\"1s\"", "\"\\ud800\"", "\"\\u0000\"", "\"MESSAGE_ROLE_USER\"", "\"https://a.example\"", "[]", "{}");
        if (depth == 0) return leaf;
        var names = Gen.Elements("name", "count", "ratio", "flag", "text", "wait", "when", "id", "role", "site", "labels", "words", "messages", "medium",
            "free", "left", "serverWebSocket", "inputSampleRate", "dataMessages", "x", "\\ud800", "\\u0000", "");
        var members = from name in names from value in Value(depth - 1) select (name, value);
        var objects = members.ListOf().Select(m => "{" + string.Join(",", m.DistinctBy(p => p.name).Select(p => $"\"{p.name}\":{p.value}")) + "}");
        var arrays = Value(depth - 1).ListOf().Select(v => "[" + string.Join(",", v) + "]");
        return Gen.Frequency((2, leaf), (4, objects), (1, arrays));
    }

    private static string WithName(string json) => json == "{}" ? """{"name":"n"}""" : """{"name":"n",""" + json[1..];

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private static JsonObject Problems<T>(string json) where T : class
    {
        var errors = new InputErrors();
        JsonRequestReader.TryRead<T>(Parse(json), errors, out _);
        return errors.Any ? Assert.IsType<JsonObject>(errors.ToJson()) : [];
    }

    [AtMostOne("left", "right")]
    [ReadOnlyFields("created")]
    internal sealed record Sample
    {
        [Required] public string? Name { get; init; }
        public int? Count { get; init; }
        [Range(0.0, 1.0)] public double? Ratio { get; init; }
        public bool? Flag { get; init; }
        public bool Certain { get; init; }
        [StringLength(8)] public string? Text { get; init; }
        [DurationRange("0s", "3600s")] public TimeSpan? Wait { get; init; }
        public DateTimeOffset? When { get; init; }
        public Guid? Id { get; init; }
        public MessageRole? Role { get; init; }
        [WireUrl("https", "http")] public string? Site { get; init; }
        public IReadOnlyDictionary<string, string>? Labels { get; init; }
        [MaxLength(3)] public IReadOnlyList<string>? Words { get; init; }
        public IReadOnlyList<Message>? Messages { get; init; }
        public CallMedium? Medium { get; init; }
        public JsonObject? Free { get; init; }
        public string? Left { get; init; }
        public string? Right { get; init; }
    }
}
