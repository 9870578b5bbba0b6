using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Bounds and fixed words of conversations, configuration section <c>Conversation</c>.</summary>
public sealed class ConversationOptions
{
    /// <summary>Model requests in one answer, tools between them; the last one offers no tools, so that the model must answer. Default 8.</summary>
    [Range(2, 64)] public int MaxModelRounds { get; set; } = 8;

    /// <summary>Tools that one model round may call. Default 16.</summary>
    [Range(1, 64)] public int MaxParallelTools { get; set; } = 16;

    /// <summary>Threads of a call, the main conversation aside; one more is rejected. Default 32.</summary>
    [Range(1, 1_000)] public int MaxThreads { get; set; } = 32;

    /// <summary>Threads of a call that generate at once; the others wait for their turn. Default 4.</summary>
    [Range(1, 100)] public int MaxGeneratingThreads { get; set; } = 4;

    /// <summary>Length of a thread's history, what it was forked with included. Longer ones are rejected or terminated. Default 500,000 characters.</summary>
    [Range(1_000, 100_000_000)] public int MaxThreadCharacters { get; set; } = 500_000;

    /// <summary>Stages that a call may have, the first included. Default 100.</summary>
    [Range(1, 10_000)] public int MaxStages { get; set; } = 100;

    /// <summary>For a new stage to be checked, and again for it to be stored. Default 10 s.</summary>
    public TimeSpan StageTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From the end of a user's turn to the first word of the model, tools aside. Default 45 s.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>For the recognizer to finish a turn. Default 10 s.</summary>
    public TimeSpan RecognitionTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after a pressed key that ends a message of keys. Default 0.5 s.</summary>
    public TimeSpan DtmfPause { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Failures in a row of one kind of provider that end the call with <c>system_error</c>. Default 3.</summary>
    [Range(1, 100)] public int MaxFailures { get; set; } = 3;

    /// <summary>From a voice's failure to the next try of it, while another one speaks; doubled by each further failure. Default 15 s.</summary>
    public TimeSpan VoiceRetryDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest pause before a voice that failed is tried again, also where its provider asks for more. Default 5 min.</summary>
    public TimeSpan VoiceRetryLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>For the first sound of a voice that is tried again, before the other one takes over. Default 2 s.</summary>
    public TimeSpan VoiceTrialPatience { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>For last words once a call is to end. Default 60 s.</summary>
    public TimeSpan FarewellTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Said when the model or the recognizer fails.</summary>
    public string Apology { get; set; } = "Sorry, I am having trouble right now. Could you say that again?";

    /// <summary>Said before a call ends because providers keep failing.</summary>
    public string FinalApology { get; set; } = "I am sorry, I cannot continue this call. Goodbye.";

    /// <summary>Told to the model when it has called tools so often in one answer that it gets no more.</summary>
    public string NoMoreToolsPrompt { get; set; } = "(No more tools can be used for now. Answer the user with what you know.)";

    /// <summary>Told to the model where nothing in the history of a new stage invites it to speak.</summary>
    public string StagePrompt { get; set; } = "(The conversation goes on under new instructions. Say what they ask you to say next.)";

    /// <summary>Told to the model where nothing in the history invites a greeting.</summary>
    public string GreetingPrompt { get; set; } = "(The call has just begun. Greet the user, briefly and as your instructions say.)";
}
