"""Prosody: how something is said, measured from the sound of a clip and told in words.

    measures = measure(contours_of(open_sound(path)))   # numbers, None where no voice is heard
    words_for(measures)                                 # {"voice": …, "pitch": "varies widely", …}

numpy alone; nothing here tells an emotion, and nothing tells who speaks.
"""
