"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

__parameters__ = globals().get("__parameters__", {'n_estimators': 20})
from sections.runtime.step.display import display

# %% cell 1: Digits
# what we need
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

# %% cell 2: Load the data
iris = load_iris(as_frame=True)
flowers = iris.frame
display(flowers.head())

# %% cell 3: Load the data
flowers.columns = [name.split(' (')[0].replace(' ', '_') for name in flowers.columns]

# %% cell 4: Prepare
# the last quarter is for the test
X = flowers.drop(columns='target')
y = flowers['target']
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=4)

# %% cell 5: Train
n_estimators = __parameters__['n_estimators']

# %% cell 6: Train
forest = RandomForestClassifier(n_estimators=n_estimators, random_state=4)
forest.fit(X_train, y_train)

# %% cell 7: Evaluate
predicted = forest.predict(X_test)
accuracy = accuracy_score(y_test, predicted)
print(f'accuracy: {accuracy:.3f}')
accuracy
