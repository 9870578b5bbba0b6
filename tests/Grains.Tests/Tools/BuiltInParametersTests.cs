using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Tools.BuiltIn;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>What calls and agents override in built-in tools is checked when they are made.</summary>
public class BuiltInParametersTests
{
    [Theory]
    [InlineData("hangUp", """{"strict":"no"}""", """{"strict":["Expected true or false."]}""")]
    [InlineData("leaveVoicemail", """{"strict":1,"result":5}""", """{"strict":["Expected true or false."],"result":["Expected a string of at most 5000 characters."]}""")]
    [InlineData("playDtmfSounds", """{"toneDuration":"0.01s","spaceDuration":200}""", """{"toneDuration":["Expected a duration between \u00220.04s\u0022 and \u00225s\u0022."],"spaceDuration":["Expected a duration between \u00220.04s\u0022 and \u00225s\u0022."]}""")]
    [InlineData("playDtmfSounds", """{"digits":"11111111111111","toneDuration":"5s"}""", """{"digits":["The tones would last longer than 60 seconds."]}""")]
    [InlineData("coldTransfer", """{"target":"me"}""", """{"target":["Expected a SIP URI, for example \u0022sip:user@example.com\u0022, or a number in E.164 form."]}""")]
    [InlineData("coldTransfer", """{"target":"sip:a@example.com>\r\nX: 1"}""", """{"target":["Expected a string of at most 256 characters in one line."]}""")]
    [InlineData("coldTransfer", """{"target":"sip:a@b c"}""", """{"target":["Expected a SIP URI, for example \u0022sip:user@example.com\u0022, or a number in E.164 form."]}""")]
    [InlineData("coldTransfer", """{"sipVerb":"BYE"}""", """{"sipVerb":["Expected one of REFER, INVITE."]}""")]
    [InlineData("coldTransfer", """{"extraHeaders":{"X-A":"1\r\nVia: x","X B":"2","X-C":"3"}}""", """{"extraHeaders":{"X-A":["Expected a string of at most 1024 characters in one line."],"X B":["This is no name of a header."]}}""")]
    [InlineData("coldTransfer", """{"extraHeaders":["X"],"holdMusicUrl":"file:///etc/passwd"}""", """{"extraHeaders":["Expected an object of strings."],"holdMusicUrl":["Expected an http or https URL."]}""")]
    [InlineData("warmTransfer", """{"target":"+15551234567","transferType":"x"}""", """{"target":["Expected a SIP URI, for example \u0022sip:user@example.com\u0022."],"transferType":["Expected one of TRY_REFER, REFER, BRIDGE."]}""")]
    public void Mistake_IsToldAtItsField(string tool, string overrides, string expected) => Assert.Equal(expected, Check(tool, overrides));

    [Theory]
    [InlineData("hangUp", """{"strict":null}""")]
    [InlineData("playDtmfSounds", """{"toneDuration":"0.5s","spaceDuration":"0.3s"}""")]
    [InlineData("coldTransfer", """{"target":"sips:+15551234567@[::1]:5061;transport=tls","sipVerb":"INVITE","holdMusicUrl":null,"extraHeaders":{"Referred-By":"sip:agent@mytrunk.com"}}""")]
    [InlineData("coldTransfer", """{"target":"+15551234567"}""")]
    [InlineData("warmTransfer", """{"target":"sip:manager@mytrunk.com","transferSystemPromptTemplate":"Two\nlines: {context}","transferType":"try_refer"}""")]
    [InlineData("queryCorpus", """{"corpus_id":"c","minimum_score":0.8}""")]
    public void WhatTheDocumentationShows_IsAccepted(string tool, string overrides) => Assert.Equal("[]", Check(tool, overrides));

    /// <summary>Clients store the ids, and prompts the names.</summary>
    [Fact]
    public void IdsNamesAndDefaults_DoNotChange()
    {
        string[] expected =
        [
            "56294126-5a7d-4948-b67d-3b7e13d55ea7 hangUp(reason) strict=true",
            "9b4f2c61-6d0e-4a7b-8f53-1c2d7e90a4b1 leaveVoicemail(message*) strict=true result=\"[Leaving voicemail...]\"",
            "c7d1e5f4-2a83-4e96-b0c8-5f6a3b7d9e12 playDtmfSounds(digits*) toneDuration=\"0.2s\" spaceDuration=\"0.1s\"",
            "3e8a7d90-5b1c-4f2e-9d64-8c0b2a6f1e35 queryCorpus(query* max_results) corpus_id=null! minimum_score=0",
            "f5c2b8a7-1d94-4c3f-a6e0-7b9d4e2c8f61 coldTransfer() target=null! extraHeaders=null holdMusicUrl=null sipVerb=\"REFER\" from=null username=null password=null",
            "a2d6f9e3-7c58-4b10-8e47-6f3c1d5b0a92 warmTransfer(context*) target=null! from=null username=null password=null inviteHeaders=null holdMusicUrl=null transferSystemPromptTemplate=null transferType=\"TRY_REFER\" referHeaders=null",
        ];

        Assert.Equal(expected, BuiltInTool.All.Select(tool =>
        {
            var required = tool.Definition.Requirements?.RequiredParameterOverrides ?? [];
            var dynamic = tool.Definition.DynamicParameters!.Select(p => p.Name + (p.Required == true ? "*" : ""));
            var fixedOnes = tool.Definition.StaticParameters!.Select(p => $"{p.Name}={p.Value?.ToJsonString() ?? "null"}{(required.Contains(p.Name!) ? "!" : "")}");
            return $"{tool.ToolId} {tool.Name}({string.Join(' ', dynamic)}) {string.Join(' ', fixedOnes)}";
        }));
    }

    private static string Check(string tool, string overrides)
    {
        var errors = new InputErrors();
        BuiltInTools.Check(tool, JsonNode.Parse(overrides)!.AsObject(), errors);
        return errors.ToJson().ToJsonString();
    }
}
